// Options that several commands take.

/** Of a command that reads the settings. */
export interface ConfigOption {
  readonly config?: string;
}

/** Of a command that talks to a server. */
export interface ServerOptions extends ConfigOption {
  readonly admin?: string;
  readonly tokenFile?: string;
}
