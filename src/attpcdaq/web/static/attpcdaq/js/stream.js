// The event stream: opens it again whenever it ends, and knows for how long nothing has been heard.

const SILENT_MS = 3000;   // then what is shown is old: say so
const DEAD_MS = 6000;     // then the connection is no good even if it looks open
const RETRY_MS = 1000;
const HIDDEN_MS = 30000;  // a page nobody sees gives up its connection: browsers have six per server

export class Stream {
  /** `handlers`: change(topics), reset(), beat(data), back(), silence(seconds or 0). */
  constructor(url, lastEventId, drawn, handlers) {
    Object.assign(this, { url, lastEventId, drawn, handlers, heard: performance.now(), opened: 0, source: null, lost: false, hiddenAt: 0 });
    this.open();
    setInterval(() => this.watch(), 250);
    document.addEventListener("visibilitychange", () => this.visible());
    addEventListener("pagehide", () => this.source.close());
    addEventListener("pageshow", (event) => { if (event.persisted) this.wake(); });
  }

  open() {
    this.source?.close();
    this.opened = performance.now();
    this.source = new EventSource(`${this.url}?last=${this.lastEventId}&drawn=${this.drawn}`);
    for (const kind of ["change", "reset", "beat"]) {
      this.source.addEventListener(kind, (message) => this.take(kind, message));
    }
  }

  take(kind, message) {
    this.heard = performance.now();
    if (message.lastEventId) this.lastEventId = message.lastEventId;
    if (this.lost) {
      this.lost = false;
      this.handlers.silence(0);
      this.handlers.back();
    }
    if (kind === "beat") this.handlers.beat(JSON.parse(message.data));
    else if (kind === "reset") this.handlers.reset();
    else this.handlers.change(JSON.parse(message.data).topics);
  }

  watch() {
    const now = performance.now();
    if (document.hidden) {
      if (now - this.hiddenAt > HIDDEN_MS) this.source.close();
      return;
    }
    const silent = now - this.heard;
    if (silent > SILENT_MS) {
      this.lost = true;
      this.handlers.silence(silent / 1000);
    }
    const refused = this.source.readyState === EventSource.CLOSED;
    if (now - this.opened > (refused ? RETRY_MS : DEAD_MS) && (refused || silent > DEAD_MS)) this.open();
  }

  visible() {
    if (document.hidden) this.hiddenAt = performance.now();
    else if (this.source.readyState === EventSource.CLOSED) this.wake();
  }

  wake() {
    this.heard = performance.now();
    this.open();
    this.handlers.back();
  }
}
