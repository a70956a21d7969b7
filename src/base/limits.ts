// Every bound of the program in one place, each with its reason.

export const limits = {
  /** RFC 1035 2.3.4: octets of a name on the wire. */
  nameBytes: 255,
  /** RFC 1035 2.3.4: octets of a label. */
  labelBytes: 63,
  /** Longest identity that is told: NSID and TXT strings are one octet string. */
  identityCharacters: 255,
  /** Labels of a name without the root: 255 octets hold 127 one-octet labels. */
  nameLabels: 127,
  /** RFC 1035 2.3.4: UDP answer without EDNS. */
  plainUdpBytes: 512,
  /** Largest UDP request that is read: EDNS requests with padding and cookies stay far below; a longer datagram is FORMERR. */
  udpRequestBytes: 4096,
  /** Largest DNS message: the two-octet length of RFC 1035 4.2.2. */
  messageBytes: 65_535,
  /** Links of a CNAME chain that one answer follows: resolvers give up at 8 to 16. */
  cnameChain: 8,
  /** Records of a set that every resolver takes: BIND's max-records-per-type is 100 by default, above it is SERVFAIL. */
  resolverSetRecords: 100,
  /** Host names of one answer that get additional addresses: 13 fit where it matters, more is generosity. */
  additionalHosts: 32,
  /** Datagrams of one recvmmsg: under load a batch held 7 to 20, more gains nothing. */
  udpBatch: 64,
  /** Answers of one sendmmsg where packets queue up for once, after a pause: the first of them don't wait until the last is made. A multiple
   *  of `udpAhead`. Under load whole batches are sent, which costs a twentieth less. */
  udpSend: 16,
  /** Requests that are read before the first of them is answered: ten cache misses pass at once on today's processors, and what is
   *  kept of each should stay in the first cache. */
  udpAhead: 16,
  /** How long a data thread under load gathers packets before it reads: with 75 us a batch of 8 becomes one of 40 and a query costs
   *  a tenth less, with 100 us little is gained. Load is when half of the rounds of a look find so many packets: up to two thirds of what a
   *  thread can do they find 1.3 to 1.7 on average. After so many gathered rounds (about 150 ms) comes the next look, of some 10 ms:
   *  a look of 64 rounds took single bursts for load. */
  coalesceUs: 75,
  coalescePackets: 5,
  coalesceLookRounds: 256,
  coalesceRounds: 1_024,
  /** Share of a core, over so much time, up to which a data thread that may go before everything else does: what is left of two cores is
   *  enough for ten thousand probed backends. Looked at after so many packets. */
  priorityShare: 0.85,
  priorityShareMs: 250,
  priorityLookPackets: 4_096,
  /** Rate up to which it does when the queries come from this machine: a seventh of what a core answers. */
  priorityLocalPacketsPerSecond: 30_000,
  /** Largest UDP response that a packet's place in the arena holds: RFC 9715 advises against more than 1400, `udp.max-size` ends here. */
  udpResponseBytes: 4096,
  /** Receive buffer asked for each UDP socket: some 5,000 small packets, 20 ms of work for one thread; more would only age. */
  udpReceiveBufferBytes: 4 * 1024 * 1024,
  /** Longest sleep of an idle data thread: bounds how long `terminate()` and exit wait where no bell was rung; costs 0.01% of a core. */
  idleWaitMs: 250,
  /** Tries to send what the kernel had no room for, and the wait before each: after that the client asks again anyway. */
  udpSendTries: 3,
  udpSendWaitMs: 2,
  /** Batches of a socket that are still answered after the loop was told to stop: what had arrived by then, but no flood without end. */
  udpLastBatches: 32,
  /** TCP connections that wait to be accepted: survives the restart of the TCP thread; the kernel cuts it to net.core.somaxconn. */
  tcpBacklog: 4_096,
  /** Tries to find a port that is free for UDP and TCP, where any will do. */
  portTries: 20,
  /** Answers of a TCP connection are written in one go up to so many bytes: some hundred small ones, or the largest. */
  tcpWriteBytes: 65_536,
  /** Send buffer of a TCP connection (the kernel doubles it): two large messages; clients that don't read must not fill tcp_mem. */
  tcpSendBufferBytes: 128 * 1024,
  /** Answer bytes that wait for all slow TCP clients together; beyond it those that wait the longest lose their connection. */
  tcpUnreadBytesInAll: 64 * 1024 * 1024,
  /** Time that open TCP connections get to read their last answers at shutdown: SIGTERM must end within a second. */
  tcpGraceMs: 400,
  /** Zone transfers made at once, in all and for one address, so that one who doesn't read keeps nobody else waiting; and those
   *  that wait for their turn: after a NOTIFY all secondaries come. */
  transfers: 32,
  transfersPerClient: 4,
  transfersWaiting: 1_000,
  /** Bytes of zone copies beyond which the next transfer waits: one zone more than this is held at most. */
  transferCopyBytes: 256 * 1024 * 1024,
  /** Octets of one message of a transfer: a compression pointer reaches all of it, and others get their turn between two. */
  transferMessageBytes: 16_000,
  /** Longest time for one transfer: a million records over 1 Mbit/s take a third of it. */
  transferMs: 30 * 60_000,
  /** NOTIFY (RFC 1996 3.6): tries for each secondary, the wait after the first, doubled each time, and the longest: five minutes
   *  in all, in which a secondary has restarted; after that it comes by itself when the SOA's refresh has passed. */
  notifyTries: 10,
  notifyFirstWaitMs: 1_000,
  notifyLongestWaitMs: 60_000,
  /** NOTIFYs sent at once, and the pause before the next: 200 a second; thousands of zones change together, at start. */
  notifyBurst: 20,
  notifyPauseMs: 100,
  /** Size of one chunk of the segment store: a thousand small zones fit, and few chunks hold a million records. */
  storeChunkBytes: 16 * 1024 * 1024,
  /** Segments from this size on tell when they are free. */
  storeLargeBytes: 1024 * 1024,
  /** RFC 9018 4.3: a server cookie is good for an hour, and for five minutes before its time on a server whose clock is behind. */
  cookieSeconds: 3_600,
  cookieAheadSeconds: 300,
  /** RFC 9018 4.3: a cookie older than half an hour is renewed, so that a client which asks now and then never holds a dead one. */
  cookieRenewSeconds: 1_800,
  /** Cookie secrets: a wrong cookie costs a hash for each; a rotation needs two or three. */
  cookieSecrets: 8,
  /** Bytes of the file that they stand in: eight lines, and a page of comments. */
  cookieFileBytes: 64 * 1024,
  /** Rate-limited pairs of network and answer that are told apart at once, five times a power of two: 1 MiB. At 200 a second a
   *  bucket is busy for 5 ms after each answer, so 16 million answers a second would fill it; at 1 a second, 80,000. */
  rateBuckets: 5 * 16_384,
  /** Networks exempt from rate limits: looked through one after another, 1 us for all of them, for clients over the limit. */
  rateExempt: 1_000,
  /** Files that a process must be allowed to have open: loading the program takes up to 120 at once. */
  descriptors: 128,
  /** Bytes of the ring in which a thread leaves queries for the query log, a power of two: 16,000 of usual size, a fifth of a second of
   *  what a thread answers at most. */
  queryRingBytes: 4 * 1024 * 1024,
  /** How long the query log's thread rests when it found something, and when it found nothing: a busy ring fills by a tenth meanwhile. */
  queryLogBusyMs: 20,
  queryLogIdleMs: 160,
  /** Bytes that the query log writes at once, in whole records: less than the smallest file that is rotated, and than a pipe holds. */
  queryLogChunkBytes: 48 * 1024,
  /** Chunks that are written before the thread looks for messages again. */
  queryLogChunks: 16,
  /** Bytes that wait for a reader of the query log's socket: beyond it records wait in the rings. */
  queryLogSocketBytes: 1024 * 1024,
  /** How long a reader of dnstap may take to say that it accepts the stream. */
  queryLogHandshakeMs: 5_000,
  /** Pauses before a socket is connected anew, doubled each time, and before a file that failed is tried again. */
  queryLogRetryMs: 100,
  queryLogRetryMostMs: 10_000,
  /** How long the query log may write on after the last query, at shutdown: SIGTERM must end within a second. */
  queryLogStopMs: 250,
  /** Sizes of files that are put aside, how many of them, and the least share that is logged: one query of a million. */
  queryLogRotateLeastBytes: 64_000,
  queryLogRotateMostBytes: 1_000_000_000_000,
  queryLogKept: 1_000,
  queryLogShare: 0.000001,
  /** Young generation of the query log's thread in MiB: what it makes of a chunk dies with it. */
  queryLogYoungMb: 4,
  /** What unix(7) has room for in a socket's path, less the final zero. */
  unixPathBytes: 107,
  /** Data-plane threads: more than any machine that this is meant for has cores. */
  workers: 64,

  /** Bytes of a file that an operator names (tokens, keys, certificates, lists of networks) beside zones and databases. */
  operatorFileBytes: 64 * 1024 * 1024,
  /** Bytes of one geographic database: the largest on sale has 700 MB, and its whole content must go into memory. */
  databaseBytes: 2_000_000_000,
  /** How long the file system may take for one look or read: one on the network that is slow takes less. What takes longer hangs. */
  fileLookMs: 4_000,
  /** Calls to the file system that may hang at once: libuv has four threads, and names are looked up on them too. */
  hungFiles: 2,
  /** How long a builder thread may read one file: as `fileLookMs`, and 64 MiB at 10 MB/s. */
  builderReadMs: 10_000,
  /** How long a reload waits for the zones that it builds: those that take longer are served when they are ready, the others now. */
  slowZoneMs: 1_500,
  /** How long it may work on one file, and more for each MiB of it: what is slowest, a file full of mistakes, takes 2 s a MiB on a free core, and
   *  ten times that on a small machine that is busy. */
  builderFileMs: 30_000,
  builderMsPerMiB: 20_000,
  /** The same for all databases together, once they are read. */
  builderGeoMs: 600_000,
  /** The same for one region map: the largest takes a second or two. */
  builderMapMs: 60_000,
  /** Builder threads that hang in a read: each holds some 10 MB until the file system answers. Beyond it nothing is built. */
  hungBuilders: 4,
  /** Share of the memory that the machine or the container has which the heap of a builder thread may take, and its bounds in MiB: a million records
   *  take 1.5 GB. */
  builderHeapShare: 0.5,
  builderHeapLeastMb: 64,
  builderHeapMostMb: 4_096,
  /** Checks that a combination stands for, written out, and how deep combinations nest: every one of them is probed for each member. */
  checkParts: 100,
  checkDepth: 16,
  /** Bytes of a kept zone image: a million records take 120 MB. */
  zoneImageBytes: 1024 * 1024 * 1024,

  /** Bytes of one YAML file that are read: 64 MiB hold about half a million record sets. */
  yamlFileBytes: 64 * 1024 * 1024,
  /** Values that the aliases of one YAML file may stand for, written out, against the billion-laughs trick. */
  yamlAliasNodes: 2_000_000,
  /** Deepest nesting of YAML: no file of ours goes beyond ten; what reads the tree calls itself. */
  yamlDepth: 64,
  /** Times that a YAML text is mended and parsed anew, so that slips do not hide what stands behind them. */
  yamlMendingRounds: 8,
  /** Keys that the reader of plain YAML takes: YAML allows 1024 characters in one line; well below there is nothing to judge. */
  yamlPlainKeyCharacters: 500,
  /** Nesting that the reader of plain YAML goes down itself; more is for the whole parser to judge. */
  yamlPlainDepth: 32,
  /** Mistakes reported for one file: more help nobody. */
  diagnosticsPerFile: 1_000,
  /** "Did you mean": names that one word is compared with (among more, a slip is hard to tell from another name anyway), and words of one
   *  file that are compared (as many mistakes are reported). */
  suggestionNames: 2_000,
  suggestionWords: 1_000,
  /** Zones served. */
  zones: 20_000,
  /** Record sets of one zone. */
  recordSetsPerZone: 1_000_000,
  /** Records of one record set: an AXFR message and a TCP answer end at 64 KiB. */
  recordsPerSet: 4_000,
  /** Bytes of one record's data: with its header and question it must still fit into one message. */
  rdataBytes: 65_000,
  /** Pools of one zone. */
  poolsPerZone: 10_000,
  /** Members of one pool: picking draws over all of them for each query. */
  membersPerPool: 1_000,
  /** Factor on the distance of a pool in `closest`: with more even the pool next door is beyond the far side of the earth. */
  poolBias: 1000,
  /** A member's capacity: queries a second, sessions, megabits; a number that nobody reaches is a slip. */
  memberCapacity: 1_000_000,
  /** Regions of one zone. */
  regionsPerZone: 10_000,
  /** Places (networks, countries, ...) of one region map. */
  placesPerMap: 200_000,
  /** Links of an alias chain that lint follows before it counts as a loop: twice what an answer follows. */
  aliasLinks: 16,
  /** Nameservers of one zone: the thirteen of the root are many. */
  nameservers: 100,
  /** Names in the zones folder that are looked at for being folders: beyond that somebody keeps other things there. */
  zoneFolderLooks: 100,
  /** Failover that takes longer is worth a warning: a minute. */
  lintFailoverSeconds: 60,
  /** Names of record sets with one steering that explain and status list: ten thousand would help nobody. */
  steeringOwners: 10,
  /** Networks of the geographic overrides with their lists: read in about a second; more belong into a database. */
  overrideNetworks: 500_000,
  /** Nesting in an MMDB file: the deepest known schema has 4 levels; the specification's own readers stop at 512. */
  mmdbDepth: 32,
  /** Values of one record of an MMDB file: the largest known have about 150 (names in eight languages, four times). */
  mmdbRecordValues: 5_000,
  /** Shared parts of an MMDB file (countries, continents) that are kept decoded; then begun anew, so that memory stays bounded. */
  mmdbKeptValues: 20_000,
  /** Names of subdivisions whose codes are kept, so that a name is taken apart once and not for each of a million records; then begun anew. */
  subdivisionAnswers: 20_000,
  /** A database of this size leaves more behind than what it costs to collect it. */
  geoLargeBytes: 16 * 1024 * 1024,
  /** Ranges that room is reserved for before a database is walked: more than there are networks in the largest. */
  geoRangesAhead: 32 * 1024 * 1024,
  /** Bytes of a packed geographic database that are fetched, and of one that is unpacked: MaxMind's and DB-IP's largest are a third of it. */
  geoDownloadBytes: 512 * 1024 * 1024,
  geoDatabaseBytes: 1536 * 1024 * 1024,
  /** Bytes of a checksum file: a line or two. */
  geoChecksumBytes: 16 * 1024,
  /** Redirects that a download follows: MaxMind's takes one, to its storage. */
  geoRedirects: 5,
  /** Silence after which a download is given up, and its longest time: 100 MB over 1 Mbit/s. */
  geoSilenceMs: 30_000,
  geoDownloadMs: 15 * 60_000,
  /** Tries of a download, the wait after the first, four times as long after each, and the longest that a publisher may ask for
   *  (Retry-After): after that the next scheduled time has to do. */
  geoTries: 3,
  /** Between checksum and file the publisher may have put a new one in place: then both fit at the second look. */
  geoChecksumTries: 2,
  geoFirstWaitMs: 2_000,
  geoRetryAfterMs: 30_000,
  /** After a scheduled update that failed: the wait for the next, doubled each time up to a day. MaxMind counts downloads by the day. */
  geoUpdateFirstWaitMs: 15 * 60_000,
  geoUpdateLongestWaitMs: 86_400_000,
  /** Shortest time between two scheduled updates: no publisher has news more often than daily. */
  geoUpdateEverySeconds: 3_600,
  /** Longest time that a scheduled update may take before its process is ended. */
  geoUpdateMs: 60 * 60_000,
  /** Longest time between two scheduled updates: a year. */
  geoUpdateEveryLongestSeconds: 366 * 86_400,
  /** Servers that were started together do not ask together: they are up to so late, and up to a share of the interval. */
  geoUpdateJitterMs: 3_600_000,
  /** The history of updates is looked at this often: a command may have updated meanwhile. Far below the longest timer. */
  geoUpdateLookMs: 3_600_000,
  /** Half of the young generation of that process, in MiB. */
  geoUpdateYoungMb: 8,
  /** Age in days from which on a geographic database is called old: some 0.15% of the addresses in use change their country in a month. */
  geoOldDays: 90,
  /** Pools named by one steered record set, over all its lists. */
  poolsPerSteering: 1_000,
  /** Pools of one `closest`: orders of n points grow with n^4. */
  poolsPerClosest: 100,
  /** Pools (by family) and regions that answers are counted by while the program runs, and pairs of them that a thread has room for (a power of
   *  two, 16 bytes each): more series than that no Prometheus wants. */
  sharePools: 1_000_000,
  shareRegions: 65_535,
  sharePairs: 65_536,
  /** Names of regions with one list of pools that a metric's label tells. */
  shareRegionNames: 4,
  /** Days before a check fails for its certificate from which on status warns (what renews by itself does so a month before), and how many
   *  are named. */
  certificateWarnDays: 14,
  certificatesTold: 20,
  /** Targets whose views a scrape holds until it has told all of their metrics: some 10 MB. */
  metricsTargetsHeld: 10_000,
  /** Zones or targets whose lines a scrape makes before it looks whether its slice is over: a tenth of a millisecond. */
  metricsStep: 32,
  /** Batches a second above which a thread looks at some of them only (sizes, times, countries), and the most that one stands for: with 64
   *  the sampling costs a query 2 ns. */
  samplesPerSecond: 64,
  sampleEvery: 64,
  /** Targets on the board: one 32-bit word each. */
  targets: 200_000,
  /** Weight of a member or a share: the picker adds them up in 32 bits. */
  weight: 65_535,
  /** Networks that `sticky` keeps together: what resolvers announce at most (RFC 7871 11.1). */
  stickyPrefix4: 24,
  stickyPrefix6: 56,
  /** What counts as one TCP client where rate limits are off: the same networks as their defaults. */
  clientPrefix4: 24,
  clientPrefix6: 56,
  /** TTL in seconds, RFC 2181 8. */
  ttlSeconds: 2_147_483_647,
  /** TTL of a steered negative answer: resolvers cache it for every client. */
  steeredNegativeTtlSeconds: 30,

  /** A regular expression of a check: characters as written, instructions and borders of character classes once repetitions are written out.
   *  Reading one of a thousand instructions takes 7 ms; `\\pL` alone has 1,300 borders. */
  regexCharacters: 1_000,
  regexInstructions: 1_100,
  regexRanges: 10_000,
  /** Bytes that the automaton of an expression may keep for its next searches. */
  regexMemoryBytes: 1024 * 1024,
  /** Work of one search beyond the first look at each character (10 ns): units of some 30 ns, so a millisecond. Expressions that people write take
   *  a hundredth of it; only a text that makes the automaton of a long gap, `a.{20}b`, grow with each character takes more. */
  regexWork: 20_000,

  /** Bytes of status line and headers that an HTTP probe reads: what Node's own client takes. */
  probeHeadBytes: 16 * 1024,
  /** Bytes of a response body that an HTTP probe reads. */
  probeBodyBytes: 64 * 1024,
  /** Reads that one probe takes from its connection: each costs some 15 us, however little it brings; 64 KiB in full segments are 45. */
  probeReads: 192,
  /** Lines of heads and trailers, and chunks, of one HTTP response: about 1 us each. */
  probeHeadLines: 256,
  probeChunks: 2_048,
  /** A chunk's size with its extensions: a probe asks for none. */
  probeChunkLineBytes: 256,
  /** TLS records of one probe: a key update in each costs 50 us. A handshake has some ten, and 64 KiB in small ones are 50. */
  probeTlsRecords: 128,
  /** Tickets for sessions that are never resumed, each 15 us; servers send two. */
  probeTickets: 16,
  /** HTTP/2 frames of one probe, counted before node:http2 sees them: some 10 us each. A response has three and a few for the connection. */
  probeFrames: 256,
  /** Reads from a program's output: lines that are written one by one, each 10 us. */
  probeOutputReads: 384,
  /** Datagrams of one probe that don't count as its answer: 15 us each. */
  probeDatagrams: 64,
  /** Addresses of a CNAME member that are tried. */
  probeAddresses: 4,
  /** How long addresses of a CNAME member stand in for a lookup that takes too long or fails for a while. */
  probeStaleMs: 3_600_000,
  /** Sendings within one try over UDP: a lost datagram is repeated after a third of the timeout, so that 1% loss is no failure. */
  probeSendings: 3,
  /** Handshake messages of one WireGuard probe that look right and prove wrong: each costs 1 ms of arithmetic; and cookies, 60 us. */
  probeHandshakes: 1,
  probeCookies: 16,
  /** Records of a DNS answer that a probe looks at: some 2 us each. */
  probeRecords: 500,
  /** Looking up the name of a CNAME member: first wait for each server (doubled with each try) and tries, as resolv.conf(5) has them by and
   *  large; how much longer one family may take than the other (RFC 8305 3); bytes of the hosts file, some 50,000 lines. */
  nameTimeoutMs: 1_000,
  nameTries: 3,
  nameFamilyWaitMs: 50,
  hostsFileBytes: 4 * 1024 * 1024,
  /** Files of `file` checks that are read at once: libuv has four threads, and a hung file system keeps what it has. */
  fileLooks: 2,
  /** Zone files whose looks are asked for together: a few keep the threads that look busy. */
  fileLooksAtOnce: 64,
  /** Bytes of a ca-file: all public roots together are a quarter of it. */
  caFileBytes: 1024 * 1024,
  /** Depth of JSON in which a load is looked for: V8 takes 5 ms for 64 KiB of brackets. */
  probeJsonDepth: 100,
  /** Bytes of evidence kept of a probe. */
  probeEvidenceBytes: 200,
  /** Records that the evidence of a DNS check shows: more do not fit. */
  probeShownRecords: 10,
  /** Probe results kept for each target. */
  probeHistory: 100,
  /** Shortest interval between two probes of a target. */
  probeIntervalMs: 100,
  /** Events kept and stored. */
  events: 10_000,
  /** Bytes of a file in state/ that are read: 200,000 targets with their probes are 100 MB. */
  stateFileBytes: 256 * 1024 * 1024,
  /** Longest file name made of a zone's name; file systems take 255 octets, and some fewer. */
  zoneFileNameCharacters: 120,
  /** How often files in state/ are looked for, and the longest pause before what could not be stored is tried again; the first is
   *  shorter. A disk that is back is noticed within seconds, and a look costs a few system calls. */
  stateLookMs: 5_000,
  stateRetryMs: 1_000,
  /** Longest pause before geography that could not be stored is built again for that: a city database takes ten seconds. */
  geoKeepMs: 600_000,
  /** Bytes at the end of a database that stand for all of it, with size and time: its metadata with the time when it was built. */
  geoTailBytes: 16 * 1024,
  /** Bytes of the kept geo image that are read at a time: each piece is checked while it is near. */
  geoPieceBytes: 1024 * 1024,
  /** How long somebody who forces a target waits for the disk before the reply says that it isn't stored. */
  stateWaitMs: 2_000,
  /** How long a disk may take to store a file before that is told: a busy one takes seconds. */
  stateHungMs: 30_000,
  /** How long a start waits for the server before it to leave state/: one that is told to stop takes a second. */
  stateLockMs: 2_000,
  /** How often the lock is tried again meanwhile. */
  stateLockAgainMs: 50,
  /** Bytes of the event file that are read: twice the events kept, at three kilobytes each. */
  eventsFileBytes: 64 * 1024 * 1024,
  /** Unreadable lines of the event file that are kept: those of a newer version, after a step back. */
  eventsUnread: 1_000,

  /** The health thread tells the control thread of probes after so long (each batch wakes it up), of flips and log lines after so long, and
   *  looks again after so long whether the last batch was taken. */
  healthTellMs: 100,
  healthTellSoonMs: 5,
  healthTellAgainMs: 20,
  /** Entries of each kind in one batch: 5 ms of the health thread. */
  healthBatch: 500,
  /** Events and log lines that wait for the control thread: twice as many targets as any control thread that is held up should find flipped. */
  healthQueue: 20_000,
  /** Targets of one message to the health thread, and such messages that it has not yet taken: 5 ms and 20 ms of it. */
  healthTargets: 500,
  healthMessages: 4,
  /** Freezes and thaws that wait for a health thread that doesn't turn: more say nothing new. */
  healthCommands: 100,
  /** How long a reload waits until the health thread has its targets: a new target is then published with its verdict. */
  healthTakenMs: 1_000,
  /** Young generation of the health thread, in MiB. */
  healthYoungMb: 6,
  /** Longest pause before a health thread that dies again and again is started again. */
  healthRestartMs: 5_000,
  /** Share of the places of probes that tries of suspects may take: the others still have their turn. */
  suspectShare: 0.75,
  /** A failure of a target that is up is looked at again after this time. */
  recheckMs: 1_000,
  /** Flips within the window beyond which a target is flapping: six outages in ten minutes. */
  flapFlips: 12,
  flapWindowMs: 600_000,
  /** Fewer distinct addresses than this that fall at once are never held up: small sites do fail whole. */
  blackoutAddresses: 10,
  /** Share of the addresses that must be newly down at once before it is taken for our own uplink. */
  blackoutShare: 0.9,
  /** Verdicts are written at most this often, and at least this often: latencies and counts change without a flip. */
  verdictsSoonestMs: 1_000,
  verdictsLatestMs: 60_000,
  /** Longest timer: setTimeout ends at 2^31 ms; what is due later sets another. */
  timerMs: 2 ** 30,
  /** Where the wall clock and the run's own time drift apart by less, nobody has set the clock. */
  driftMs: 1_000,

  /** Bytes of an admin request's body: the longest has a reason of 1,000 characters. All connections together hold 32 MB of them. */
  adminBodyBytes: 64 * 1024,
  /** How long the control thread works on one long thing before everything else gets a turn: a request beside it waits 5 to 10 ms. */
  sliceMs: 5,
  /** Connections to the admin, in all and of one client (an IPv4 address, an IPv6 network of `clientPrefix6`): a wall of dashboards and a
   *  proxy that all come through stay below; each costs some 20 KB. */
  adminConnections: 512,
  adminConnectionsPerClient: 128,
  /** Bytes of what a connection's client has sent that are looked at at once, before what they ask for is answered: some 20 small requests,
   *  where 64 KiB are 2 s of work for 50 connections. */
  adminReadBytes: 1024,
  /** Time for a request's headers, for all of it, and between two on one connection; and how often this is looked at. */
  adminHeadersMs: 10_000,
  adminRequestMs: 30_000,
  adminKeepAliveMs: 10_000,
  adminLookMs: 1_000,
  /** Looks in a row in which a client took nothing of what waits for it, and looks in a row in which something waited: 10 s for 32 KB, and
   *  five minutes for the longest answer. Looks are counted, not time: the server's own pause is nobody's fault. */
  adminStalledLooks: 10,
  adminSlowLooks: 300,
  /** Bytes that clients of the admin leave unread, in all; beyond it those who leave the most are cut off. */
  adminUnreadBytesInAll: 24 * 1024 * 1024,
  /** Bytes of a long answer that are made at once, and made again when they were taken. */
  adminPieceBytes: 32 * 1024,
  /** Long answers (coverage, metrics, lists, ...) of each kind that are made at once; that wait for their turn; and of one client, both
   *  together: Prometheus twice and a room of dashboards stay below. */
  adminLongAtOnce: 2,
  adminLongWaiting: 32,
  adminLongPerClient: 12,
  /** Bytes of the tokens file: some seven thousand tokens. */
  tokensFileBytes: 1024 * 1024,
  /** Bytes of a token: anything longer was not made here. */
  adminTokenBytes: 256,
  /** Longest time that a target can be forced or verdicts frozen, short of forever: a year. */
  forceMs: 366 * 86_400_000,
  /** Characters of the reason that an operator gives: a sentence and a link. */
  reasonLength: 1_000,
  /** Live event streams at once, in all and of one client: each holds a socket; a wall of dashboards stays below. */
  eventStreams: 100,
  eventStreamsPerClient: 50,
  /** Bytes that a live stream's client may leave unread before it is sent no more for the time being. */
  eventStreamBytes: 64 * 1024,
  /** Events that are put into words at once: some 25 KB. */
  eventStreamBatch: 50,
  /** Silence on a live stream before a comment is sent: proxies close idle connections after 30 to 60 s. */
  eventStreamQuietMs: 15_000,
  /** Bytes that are read of a webhook's answer, of which the status alone counts. */
  webhookAnswerBytes: 64 * 1024,
  /** Events that wait for one hook; when more come, the oldest go. */
  webhookQueue: 1_000,
  /** Time for one delivery: whatever takes longer does its work before it answers. */
  webhookTimeoutMs: 10_000,
  /** Tries of one event, the wait after the first, doubled each time, and the longest: somewhat over half an hour in all. */
  webhookTries: 14,
  webhookFirstWaitMs: 1_000,
  webhookLongestWaitMs: 300_000,
  /** Time that the first round of probes may hold back the first answer. */
  firstRoundMs: 5_000,
  /** How long a zone file must be absent before its zone goes. */
  zoneGoneMs: 1_000,
  /** How long threads may take to answer what they have read when the server stops; the whole stop takes under a second. */
  stopMs: 600,
  /** How long a server that is replaced lets open TCP connections go on: contract, section 14. */
  retiredConnectionsMs: 30_000,
  /** How long each of two servers that replace one another waits for the other's word; then the old one goes on alone. */
  handoverMs: 30_000,
  /** How long the new one may load: a million records take a minute. */
  handoverLoadMs: 600_000,
  /** Bytes of one message between them: the events, verdicts and counters of the largest installation stay below. */
  handoverBytes: 256 * 1024 * 1024,
  /** Descriptors of one message between them: sockets of a few addresses for each thread, below the kernel's 253. */
  handoverDescriptors: 200,
  /** Bytes that are read of it at once. */
  handoverReadBytes: 65_536,
  /** How often one that waits for the lock of the other looks again. */
  handoverLookMs: 5,
  /** Sockets that a service manager may hand over: more is no configuration. */
  givenDescriptors: 1024,
  /** Servers that wait to take over: one at a time can. */
  handoverBacklog: 4,
  /** Longest wait of a command for the server's reply: reloading ten thousand zones takes some seconds. */
  replyMs: 60_000,
  /** Time that everything together gets to stop: a supervisor was promised a second, and a busy machine takes its part. */
  processStopMs: 750,
  /** Log lines that wait for a slow reader, in characters; beyond it they are dropped and counted: some 5,000 lines. */
  logQueueBytes: 1024 * 1024,
  /** How often log lines that a reader had no room for are offered again. */
  logRetryMs: 50,
  /** Bytes of one write of log lines: a pipe holds 64 KiB. */
  logWriteBytes: 64 * 1024,
  /** How long the end of the program waits for its last log lines. */
  logFlushMs: 200,
  /** A thread that gave no sign of life at so many looks in a row, so far apart, spins or hangs and is replaced. Looks are counted, not time:
   *  a machine that stood still for a minute is no reason. */
  watchdogLookMs: 1_000,
  watchdogLooks: 5,
  /** How often a thread with an event loop gives a sign of life. */
  heartbeatMs: 500,
  /** Unexpected errors that are logged with their stack in a minute; all are counted. */
  internalErrorsLogged: 20,
  /** Pause between an unexpected error in the control plane and the look whether its parts still work. */
  recoverMs: 1_000,
  /** Time that the admin has to answer its own server before it is started anew. */
  adminAliveMs: 2_000,
  /** Pause before a thread that died is started again, so that one that dies at once doesn't eat the machine. */
  threadRestartMs: 20,
  /** How long after the start what it left behind is collected: V8 gives the young generation back only when little was allocated of late. */
  collectMs: 7_000,
  /** How often free pages of the C heap are given back: compiling the answer path under load leaves 20 MB of them behind (Node 24). */
  trimMs: 60_000,
  /** Young generation of a data thread, in MiB. */
  dataThreadYoungMb: 2,
  /** Folders are looked at this often even when no event tells of a change (network file systems). */
  watchPollMs: 5_000,
  /** How many times as long as such a look took no other follows: 20,000 zones take 0.2 s. */
  watchPollRest: 30,
  /** Threads that parse and compile at once: more than two starve what answers on small machines. */
  builderThreads: 2,
  /** Zones for which a second builder thread pays for its start. */
  builderZones: 50,
  /** Young generation of a builder thread, in MiB: without a limit it grows to 100 MB and more with every reload, and nothing is
   *  faster for it. */
  builderYoungMb: 24,
  /** How long a builder thread waits for more work before it ends and gives its memory back. */
  builderIdleMs: 2_000,
  /** Pause between a flip and the look for record sets that fail open: many targets flip at once. */
  failOpenLookMs: 100,
  /** Ways up that the look for fail open goes before others may have their turn. */
  failOpenWays: 64,
  /** Errors of a zone file that one log line names. */
  loggedErrors: 3,
  /** UDP size that explain shows beside 512: what the DNS flag day of 2020 agreed on. */
  explainUdpBytes: 1232,
  /** Addresses of one place that coverage tries: where other rules take this many, they take nearly all. */
  placeSamples: 64,
  /** Ranges, or places, that coverage looks at before others may have their turn: under a millisecond. */
  placeSampleStep: 1024,
  /** Ranges of a region map that the count of split networks looks at before others may have their turn: a millisecond. */
  splitStep: 2048,
  /** Quiet time after a file event before the folder is read again. */
  reloadQuietMs: 50,
} as const;
