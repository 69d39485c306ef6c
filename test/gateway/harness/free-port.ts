/** A port of the loopback interface that nobody listens on now. */
import { createServer } from "node:net";

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await new Promise<void>((resolve) => server.once("listening", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the probe server has no port");
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return address.port;
}
