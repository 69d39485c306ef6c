/** The JSON examples of the skill that the package ships: what agents copy, so it must be what the tools take. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface SkillExample {
  /** `iflow_launch` and the like. */
  readonly tool: string;
  readonly params: Readonly<Record<string, unknown>>;
}

const SKILL = join(import.meta.dirname, "..", "skills", "iflow-orchestration", "SKILL.md");

/** In the order in which they stand. */
export function skillExamples(): readonly SkillExample[] {
  const blocks = readFileSync(SKILL, "utf8").matchAll(/^```json (\w+)\n([\s\S]*?)^```$/gm);
  return [...blocks].map(([, tool = "", json = ""]) => ({
    tool,
    params: JSON.parse(json) as Record<string, unknown>,
  }));
}
