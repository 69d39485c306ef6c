/**
 * Where people read of a session. Owns: these fields of it.
 */

/** Where notices go, kept exactly as the host gave it (its delivery context). */
export interface Route {
  readonly channel: string;
  readonly to: string;
  readonly accountId?: string;
  readonly threadId?: string | number;
}

export interface Chats {
  readonly route?: Route;
  /** Where the launcher is, when its notices go to another chat; without a route: in its web chat. The next place when the other takes nothing. */
  readonly home?: { readonly route?: Route };
  /** `route` was named by the launcher, and is neither the launcher's own chat nor a configured one: who reads there does not grant. */
  readonly isForeignRoute?: true;
  /** What `route` was at first: its group became a supergroup, or its topic went. */
  readonly movedFrom?: Route;
  /** Other chats that were told something in its place, newest last. */
  readonly toldIn?: readonly Route[];
  /** Notices in a row that no chat took. */
  readonly undelivered?: { readonly count: number; readonly sinceAt: number };
}
