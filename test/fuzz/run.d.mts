// Types of the fuzzer's runs, which are plain JavaScript so that the long form needs no build of its own.

export interface Found {
  readonly what: string;
  /** `SETUP TRANSPORT PEER HEX`, as in the corpus. */
  readonly line: string;
}

export function fuzzRespond(options: {
  readonly packets: number;
  readonly seed: number;
  readonly sampleEvery?: number;
  readonly onProgress?: (done: number) => void;
}): Promise<{
  readonly packets: number;
  readonly answers: number;
  readonly truncated: number;
  readonly transfers: number;
  readonly messages: number;
  readonly kinds: number;
  /** By number. */
  readonly rcodes: Readonly<Record<string, number>>;
  readonly sample: readonly Buffer[];
  readonly found: readonly Found[];
}>;

export function replayCorpus(): Promise<{ readonly requests: number; readonly found: readonly Found[] }>;
