// The types of what goes in and comes out of the rules: scenarios and registrations, as umem-core reads and prints them.
// web/e2e/types.test.mjs holds them against the code, so that they cannot drift.

/** A number of bytes: an integer, or text: "4096", "4K", "2M" (K to P are powers of 1024), "0x1000". */
export type Size = number | string;

/** An address: text such as "0x40000000", or an integer. */
export type Address = number | string;

/** An address as it is printed. */
export type Hex = `0x${string}`;

/** How a table is cut: entries of mixed sizes, of one single size, or one for each DMA segment. */
export type Policy = "mixed" | "single" | "unaligned";

/** A scene of the mail of 2018. */
export type PresetName =
  | "mail" | "first-mask" | "smaller-only" | "mail-iommu" | "misaligned-iova" | "one-size"
  | "one-size-iommu" | "unaligned" | "descending" | "scattered" | "ppc64" | "pin-batches"
  | "dma-buf" | "dma-buf-pinned" | "gpu" | "odp";

/** What is known of the kernel by its name. */
export interface KernelAnswer {
  /** The generation whose answers are the same, or how they differ from it. */
  rules: string;
  /** The kernel as the scenario names it. */
  release?: string;
  /** "vendor", "unknown": planned with the rules that it has for sure. */
  certainty: "exact" | "vendor" | "unknown";
  text: string;
  /** The answers by each of the rules that it may have, if not all are known. */
  possible?: { rules: string; status: string }[];
}

/** Who says that a rule is so. */
export interface Evidence {
  /** The gate, or the rule by which the table is cut. */
  stage: Gate | "cut";
  /** A running kernel, a public report, the source, or a mail that no kernel followed. */
  by: "lab" | "report" | "source" | "proposed";
  text: string;
}

/** A generation of the kernel's rules. */
export type KernelRules = "5.2" | "5.10" | "6.7" | "6.15" | "7.2";

/** A whole question: what is registered, how its memory lies, which kernel, which IOMMU, which device. Version 1 of the format. */
export interface Scenario {
  version: 1;
  /** What people may call it. */
  name?: string;
  region: Region;
  memory: Memory;
  kernel?: Kernel;
  /** "off" (the default), a name of `umem list iommus` ("vt-d", "amd-v1", …), or an IOMMU in its own words. */
  iommu?: string | Iommu;
  /** A name of `umem list devices` ("mlx5", "irdma", …), or a device in its own words. */
  device: string | Device;
  /** The process that registers the region. */
  process?: Process;
  /** Where a capture comes from. */
  provenance?: Provenance;
}

/** What is registered: `length` bytes from `va + offset`. */
export interface Region {
  /** Where the backing memory begins: a multiple of the kernel's page. 0x7f0000000000 if left out. */
  va?: Address;
  /** Where the region begins, in bytes from `va`. 0 if left out. */
  offset?: Size;
  length: Size;
  /** The address that the NIC uses for the first byte (`ibv_reg_mr_iova`). `va + offset` if left out. */
  hca_address?: Address;
}

/** What backs the region: `layout`, or `extents`. */
export interface Memory {
  /** What it is to the kernel: pages that are pinned, the whole buffer of an exporter (`region.offset` says where the region begins in it),
   *  or pages that come on demand. "pages" if left out. */
  kind?: "pages" | "dma-buf" | "odp";
  /** How the exporter of a dma-buf maps it: the list as a whole, or each entry by itself. "dma-map" if left out. */
  exporter?: "dma-map" | "per-entry";
  /** The size of its pages; the kernel's if left out. */
  page_size?: Size;
  layout?: "contiguous" | "descending" | "scattered";
  /** Where the first page lies. 0x40000000 if left out. */
  start?: Address;
  /** Which of the scatterings. 0 if left out. */
  seed?: number;
  /** Runs of physical memory, in the order of virtual addresses; of a dma-buf the exporter's entries, whose lengths need not be pages. */
  extents?: [address: Address, length: Size][];
  /** How much there is from `va` on; what the region needs if left out. */
  length?: Size;
  /** What the mappings behind it are; ordinary writable memory where none lies. */
  areas?: Area[];
}

export interface Kernel {
  /** 4K if left out. */
  page_size?: Size;
  /** The newest if left out. */
  rules?: KernelRules;
  /** Instead: a release ("6.12.117"), or what `uname -r` prints. */
  release?: string;
}

/** An IOMMU in its own words; what is left out is that of `umem list iommus`, if `name` is in it. */
export interface Iommu {
  name?: string;
  page_sizes?: Size[];
  /**
   * "kernel": where the kernel puts it, the default; "congruent" (a proposal): where the low bits agree with the NIC's address, up to the
   * device's largest page size; or the address of the first pinned page.
   */
  iova?: "kernel" | "congruent" | Address;
  /** The boundary that no segment crosses. 4G if left out. */
  segment_boundary?: Size;
  /** 48 if left out. */
  address_bits?: number;
}

/** A device in its own words; what is left out is that of `umem list devices`, if `name` is in it. */
export interface Device {
  name?: string;
  page_sizes?: Size[];
  /** Mixed if left out; single for a device of the list. */
  policy?: Policy;
  /** What the ends of a mixed table may do. "exact" if left out. */
  edges?: "exact" | "overhang";
  /** In bytes. 0xffffffff if left out. */
  max_segment?: Size;
  /** The most entries of one region. */
  max_entries?: number;
  /** The most entries of all regions of the device. */
  max_total_entries?: number;
  /** The longest region. */
  max_length?: Size;
  /** 8 if left out. */
  entry_bytes?: number;
}

/** The process that registers the region. What is left out is not known, unless it says otherwise. */
export interface Process {
  /** The flags of `ibv_reg_mr()`; an empty list is a registration for reading by the NIC alone. */
  access?: Access[];
  /** Its limit on locked memory (`ulimit -l`). */
  memlock?: Size | "unlimited";
  /** What it has registered already, on all devices (`VmPin`). */
  pinned?: Size;
  /** Whether it has CAP_IPC_LOCK in the first user namespace. */
  privileged?: boolean;
  /** Whether libibverbs protects its memory from `fork()`. */
  fork_support?: ForkSupport;
  /** The version of libibverbs: "44.0". */
  libibverbs?: string;
  /** Whether RDMAV_HUGEPAGES_SAFE is set; not, if left out. */
  hugepages_safe?: boolean;
  /** How many more objects its rdma control group allows on the device; no limit if left out. */
  hca_objects?: number;
  /** How many more mappings vm.max_map_count allows; enough if left out. */
  mappings_left?: number;
  /** How much more its memory control group allows; enough if left out. */
  memory_left?: Size;
  /** What the program saw when it registered the region: "ENOMEM". */
  saw?: string;
}

/** What libibverbs does about `fork()`: nothing, mark memory with MADV_DONTFORK, or leave it to the kernel. */
export type ForkSupport = "off" | "libibverbs" | "kernel";

/** A part of the memory, as /proc/PID/maps has it. */
export interface Area {
  /** In bytes from `region.va`. 0 if left out. */
  offset?: Size;
  /** Up to the end of the region if left out. */
  length?: Size;
  /** Anonymous memory if left out. */
  backing?: Backing;
  /** Whether it is MAP_SHARED; the backing decides if left out. */
  shared?: boolean;
  /** For reading and writing if left out. */
  protection?: "read-write" | "read" | "write" | "none";
  /** The size of its huge pages; `memory.page_size` if left out. */
  page_size?: Size;
}

/** What backs a mapping. */
export type Backing =
  | "anonymous" | "hugetlb" | "shmem" | "file" | "devdax" | "fsdax" | "pfnmap" | "secret" | "vdso" | "vvar" | "hole"
  | "beyond-end" | "no-huge-page" | "guard" | "unmovable";

/** The flags of `ibv_reg_mr()`. */
export type Access =
  | "local-write" | "remote-write" | "remote-read" | "remote-atomic" | "mw-bind" | "zero-based" | "on-demand" | "hugetlb"
  | "flush-global" | "flush-persistent" | "relaxed-ordering";

/** Where a capture comes from. */
export interface Provenance {
  /** As `uname -r` has it. */
  kernel: string;
  page_size: Size;
  device?: string;
  /** "off", "identity", "DMA-FQ", …. */
  iommu_mode?: string;
  /** RFC 3339, in UTC. */
  time: string;
  /** Whether physical and virtual addresses were shifted, to hide where they lie. */
  rebased: boolean;
  /** What was to be captured; the region may be a part of it. */
  asked?: Asked;
  /** What of it the capture lacks, in pages. */
  left_out?: LeftOut;
  /** Pages that a registration replaces by others. */
  moves_when_registered?: Moves;
  /** Pages that a registration for local writes cannot pin. */
  refused_when_registered?: RefusedPages;
  /** What the process had pinned (`VmPin`). */
  pinned?: Size;
  /** How many of the pages that were read a second time had moved. */
  moved?: Moved;
  /** What nobody said and the machine did not show, a sentence each. */
  assumed?: Assumed;
}

/** The memory that was to be captured. */
export interface Asked {
  start: Address;
  length: Size;
}

/** What a capture lacks, in pages. */
export interface LeftOut {
  absent: number;
  swapped: number;
  /** Resident, but outside the longest stretch without a hole. */
  elsewhere: number;
  /** Not read, because reading failed. */
  unread: number;
}

/** Captured pages that a registration replaces by others. */
export interface Moves {
  /** The zero page, behind memory that was only read. */
  zero: number;
  /** Shared, so copied. */
  shared: number;
  /** In `ZONE_MOVABLE`. */
  movable?: number;
}

/** Captured pages that a registration for local writes cannot pin. */
export interface RefusedPages {
  pages: number;
  /** "EFAULT". */
  errno: string;
  text: string;
}

/** What a second reading of pages found. */
export interface Moved {
  looked: number;
  moved: number;
}

/** What a capture says only because nobody said otherwise, a sentence each. */
export interface Assumed {
  device?: string;
  iommu?: string;
  rules?: string;
}

/** A scenario, recorded on a machine by `umem capture`. */
export interface Capture extends Scenario {
  provenance: Provenance;
}

/** Every stage's result, as `umem plan --format json` prints it. Sizes and counts are integers below 2^53. */
export interface Registration {
  version: 1;
  name?: string;
  /** "257 entries: 255 × 4K + 1 × 1M + 1 × 2M", or why there are none. */
  status: string;
  /** Where a capture comes from. */
  provenance?: Provenance;
  /** The kernel pages that are pinned. */
  pages: number;
  /** What the kernel's own lists take, in bytes. */
  lists: Lists;
  /** The largest runs of contiguous memory. */
  scatter: List;
  /** The same as the device sees them. */
  dma: List | Refused;
  /** The page table of the IOMMU, if one translates. */
  iommu?: IoTable;
  table: Table | Refused;
  /** What can stop it, in the order in which it is met, up to the first that refuses. */
  gates: GateAnswer[];
  /** The kernel, and how much its name says. */
  kernel: KernelAnswer;
  /** Who says that each rule on the way is so; the result claims no more than the weakest. */
  evidence: Evidence[];
  /** The same region under each policy. */
  alternatives: Record<Policy, Alternative | Refused>;
  /** Changes that help, the best first; each was tried. */
  advice: Advice[];
  /** The mail's own code, tried on this region. */
  exhibits: Exhibit[];
}

/** Many regions on one device: what `umem plan` takes beside a scenario. Version 1 of the format of sets. */
export interface RegistrationSet {
  version: 1;
  name?: string;
  kernel?: Kernel;
  iommu?: string | Iommu;
  device: string | Device;
  process?: Process;
  /** In the order in which the program registers them. */
  registrations: SetMember[];
}

/** A region of a set, or many that are alike. */
export interface SetMember {
  name?: string;
  region: Region;
  memory: Memory;
  /** How many there are. 1 if left out. */
  count?: number;
}

/** What `umem plan --format json` prints of a set. */
export interface SetAnswer {
  version: 1;
  name?: string;
  /** "548 regions: 53366 entries", or which region is refused, where and why. */
  status: string;
  /** Each member, alike regions once. */
  registrations: PlannedMember[];
  total: SetTotal;
  budget: {
    entries: number;
    /** The most entries that the device keeps of all regions together, if it is known. */
    of: number | null;
    /** The number of the region that is refused, from 1 on, by whichever gate. */
    refused_at: number | null;
  };
  /** The region that is refused first: its number from 1 on, its place in `registrations` from 0 on, and the gate's answer. */
  refused?: GateAnswer & { region: number; registration: number };
  kernel: KernelAnswer;
  /** Changes that help; each was planned. */
  advice: SetAdvice[];
}

export interface PlannedMember {
  name?: string;
  count: number;
  /** How many of them register, after all that stand before them. */
  registered: number;
  /** The rest is of the first of them, on its own. */
  status: string;
  pages: number;
  scatter: { count: number };
  dma: { count: number };
  table: Table | Refused;
  gates: GateAnswer[];
}

/** All regions together, refused ones included, as far as each has a table on its own. */
export interface SetTotal {
  regions: number;
  pages: number;
  entries: number;
  /** What the entries take. */
  bytes: number;
  /** What the tables take with directories and rounding. */
  memory: number;
}

export interface SetAdvice {
  change: string;
  before: SetOutcome;
  after: SetOutcome;
  cost: string;
}

export interface SetOutcome {
  regions: number;
  entries: number;
  refused_at: number | null;
}

/** A stage that says no. `if (registration.table.refused)` tells it from a table. */
export interface Refused {
  refused: {
    /** "no-page-size", "no-exact-tiling", "too-long", "too-many-entries", "iommu-map-failed", …. */
    code: string;
    message: string;
    /** Where the registration stops. */
    gate?: Gate;
    /** What the program sees: "ENOMEM", …. */
    errno?: string;
    /** The bug of that kernel which is to blame. */
    kernel_bug?: string;
    /** The bug of the driver in that kernel which is to blame. */
    driver_bug?: string;
  };
}

/** A place where libibverbs, the kernel or the device can refuse a registration. */
export type Gate =
  | "fork-support" | "uverbs" | "driver" | "memlock" | "pin" | "gather" | "map" | "page-size" | "table" | "firmware";

/** What a gate answers. */
export interface GateAnswer {
  gate: Gate;
  /** "unknown": nobody said what decides it. */
  verdict: "pass" | "refuse" | "unknown";
  /** The rule that refuses: "memlock-zero", "read-only", …. */
  code?: string;
  /** What the program sees; null where it passes, and where the process is killed instead. */
  errno: string | null;
  /** What was checked and found. */
  text: string;
  /** What to do about a refusal; of what is unknown, how to find out. */
  way_out?: string;
  /** Who says that the rule is so. */
  by: Evidence["by"];
  /** Which kernels, reports or sources. */
  source: string;
}

export interface Lists {
  /** The batch of page pointers that pinning goes by. */
  page_list: number;
  /** What a list of all pages would take. */
  whole_page_list: number;
  /** An SG table with an entry for each page. */
  table_for_all_pages: number;
  /** The SG table as it is, appended to batch by batch. */
  appended_table: number;
}

export interface List {
  count: number;
  /** Address and length, if there are not too many of them. */
  entries?: [address: Hex, length: number][];
  refused?: undefined;
}

export interface SizeCount {
  /** In bytes. */
  size: number;
  count: number;
}

export interface IoTable {
  /** Where the mapping begins. */
  iova: Hex;
  length: number;
  /** How many entries the IOMMU's own page table has for it. */
  total: number;
  by_size: SizeCount[];
}

/** The page table of the device. */
export interface Table {
  policy: Policy;
  /** The one size of a single table, in bytes. */
  page_size: number | null;
  /** How many entries it has. */
  total: number;
  /** From the smallest size to the largest. */
  by_size: SizeCount[];
  /** What the entries take. */
  bytes: number;
  /** What the table really takes, with directories and rounding, in bytes. */
  memory: { levels: number; bytes: number };
  /** What this device adds, such as directories. */
  layout?: string;
  limited_by: Limit[];
  /** Why no kernel should have made this table. */
  kernel_bug?: string;
  /** What the driver of that kernel gets wrong. */
  driver_bug?: string;
  refused?: undefined;
}

/** Why entries are no larger. */
export interface Limit {
  code: string;
  /** The address bit that decides. */
  bit: number | null;
  /** The DMA segment it is in. */
  segment: number | null;
  text: string;
}

export interface Alternative {
  total: number;
  page_size: number | null;
  refused?: undefined;
}

export interface Advice {
  /** What to do. */
  change: string;
  before: Outcome;
  after: Outcome;
  /** What the change costs. */
  cost: string;
}

/** What a table amounts to; null where the region is refused. */
export interface Outcome {
  entries: number | null;
  bytes: number | null;
  page_size: number | null;
}

/** A piece of the mail's code, run on this region. */
export interface Exhibit {
  name: string;
  about: string;
  total: number;
  by_size: SizeCount[];
  /** Where and why it gave up. */
  stopped: string | null;
}
