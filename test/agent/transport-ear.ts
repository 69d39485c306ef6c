/** What a transport tells its listener: texts as they come, and the end with its reason in brackets. */
import type { AcpTransport } from "../../src/agent/acp-transport.ts";

export function listenTo(transport: AcpTransport, heard: string[]): Promise<void> {
  const over = Promise.withResolvers<void>();
  transport.listen({
    text: (line) => void heard.push(line),
    cut: ({ head, length }) => void heard.push(`${head}… (${length})`),
    stray: () => undefined,
    ended: ({ reason }) => {
      heard.push(`(${reason})`);
      over.resolve();
    },
  });
  return over.promise;
}
