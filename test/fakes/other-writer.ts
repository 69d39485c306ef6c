/**
 * Whoever else writes our flows: the bundled Webhooks plugin, the TaskFlow CLI, the Control UI.
 * Owns: their verbs on a FakeLedger, with the host's own outcomes.
 */
import { isTerminal, type FakeLedger } from "./fake-ledger.ts";

export class OtherWriter {
  readonly #ledger: FakeLedger;

  constructor(ledger: FakeLedger) {
    this.#ledger = ledger;
  }

  /** Any mutation that changes nothing but the revision. */
  touch(flowId: string): void {
    this.#must(flowId, {});
  }

  resume(
    flowId: string,
    fields: { currentStep?: string; stateJson?: unknown; status?: "queued" | "running" } = {},
  ): void {
    this.#must(flowId, {
      ...fields,
      status: fields.status ?? "queued",
      waitJson: null,
      blockedSummary: undefined,
      ended: false,
    });
  }

  setWaiting(flowId: string, fields: { currentStep?: string; stateJson?: unknown; waitJson?: unknown } = {}): void {
    this.#must(flowId, { ...fields, status: "waiting", ended: false });
  }

  finish(flowId: string): void {
    this.#must(flowId, { status: "succeeded", waitJson: null, ended: true });
  }

  fail(flowId: string, summary?: string): void {
    this.#must(flowId, {
      status: "failed",
      waitJson: null,
      ended: true,
      ...(summary === undefined ? {} : { blockedSummary: summary }),
    });
  }

  requestCancel(flowId: string, atMs: number): void {
    this.#must(flowId, { cancelRequestedAt: atMs });
  }

  /** `openclaw tasks flow cancel`: children and flow become `cancelled` at once. */
  cancelFlow(flowId: string, atMs: number): void {
    const flow = this.#ledger.flows.get(flowId);
    if (flow === undefined || isTerminal(flow.status)) return;
    if (flow.cancelRequestedAt === undefined) this.requestCancel(flowId, atMs);
    for (const child of this.#ledger.activeChildren(flowId)) this.cancelChild(child.runId);
    const now = this.#ledger.flows.get(flowId);
    if (now !== undefined && !isTerminal(now.status))
      this.#must(flowId, { status: "cancelled", waitJson: null, ended: true });
  }

  /** `openclaw tasks cancel` and the Control UI's button: the child ends, the flow stays as it is. */
  cancelChild(runId: string): void {
    this.#ledger.endChild(runId, "cancelled", "Cancelled by operator.");
  }

  /** The host's own housekeeping removes old records. */
  remove(flowId: string): void {
    this.#ledger.flows.delete(flowId);
  }

  #must(flowId: string, patch: Parameters<FakeLedger["patch"]>[3]): void {
    const applied = this.#ledger.patch(flowId, undefined, undefined, patch);
    if (applied.kind !== "applied") throw new Error(`no flow ${flowId} in the ledger`);
  }
}
