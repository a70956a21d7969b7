// The query log on standard output, where the server's own lines stand too.
import { LineSink } from '../base/line-sink.ts';
import type { Output, OutputNews } from './output.ts';

export class StdoutOutput implements Output {
  readonly #sink = new LineSink(1);
  readonly #news: OutputNews;
  #told = 0;

  constructor(news: OutputNews) {
    this.#news = news;
  }

  /** The sink drops what finds no room. */
  get ready(): boolean {
    return true;
  }

  write(bytes: Uint8Array, records: number): void {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
    for (const line of text.split(/(?<=\n)/)) this.#sink.write(line);
    this.#news.written(records);
    this.turn();
  }

  turn(): void {
    const { dropped } = this.#sink;
    if (dropped === this.#told) return;
    this.#news.written(this.#told - dropped);
    this.#news.dropped(dropped - this.#told);
    this.#told = dropped;
  }

  reopen(): void {}

  async close(): Promise<void> {
    await this.#sink.flush();
    this.turn();
  }
}
