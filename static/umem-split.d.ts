// The types of <umem-split>. web/e2e/types.test.mjs holds them against the code, so that they cannot drift.

import type { PresetName, Registration, RegistrationSet, Scenario, SetAnswer } from "./umem-formats.js";

export type * from "./umem-formats.js";

/**
 * Works a scenario or a set out, as `umem plan --format json` does. Browsers only. Rejects with what is wrong with the scenario, and where;
 * that a kernel or device refuses a region is an answer like others.
 */
export function plan(scenario: Scenario | string): Promise<Registration>;
export function plan(set: RegistrationSet): Promise<SetAnswer>;

// ---- The element ----

export type Controls = "full" | "play" | "none";
/** A stage's first step; the step of a stage that works at an offset of the region; the end. */
export type StepName = Stage | `${Stage}:${number}` | "end";
export type Stage = "pin" | "gather" | "map" | "cut";
export type Theme = "light" | "dark" | "auto";

/** The attributes, as they are written. */
export interface UmemSplitAttributes {
  /** A scene of the mail. "mail", if there is neither `scenario` nor `src`. */
  preset?: PresetName | (string & {});
  /** A scenario, as JSON. It counts before `src`, and that before `preset`. */
  scenario?: string;
  /** The address of a scenario or a capture, plain or gzip. */
  src?: string;
  /** All buttons; one, and the slider; or none, and no autoplay. "full" if left out. */
  controls?: Controls;
  /** Whether it plays by itself, unless the reader prefers less motion. */
  autoplay?: boolean;
  /** Whether it plays again when it is through. */
  loop?: boolean;
  /** Steps a second; as long as each needs to be seen, if left out. */
  speed?: number | string;
  /** The step that is shown first. The last if left out, or 0 with `autoplay`. */
  at?: number | string;
  /** Some of "virtual frames sg dma iommu entries"; all but "iommu", which is seen where there is an IOMMU, if left out. */
  lanes?: string;
  /** "auto", as the reader's system has it, if left out. */
  theme?: Theme;
}

/** What the events tell. They bubble and are composed. */
export interface UmemSplitEvents {
  /** It can be seen, for the first time since it came into the document. */
  "umem-ready": CustomEvent<{ status: string; steps: number }>;
  /** Another step is shown. `stage` is "Pin", "Gather", "Map" or "Cut", and null at the end. */
  "umem-step": CustomEvent<{
    step: number;
    steps: number;
    /** The step's name, which `seek` takes, in another element as well: "cut:1048576", and "end". */
    name: StepName;
    stage: string | null;
    text: string;
    /** How many pages are pinned by now, and how many SG entries, DMA segments and table entries there are. */
    pinned: number;
    sg: number;
    dma: number;
    entries: number;
    /** How many entries the table will have; 0 where it is refused. */
    total: number;
  }>;
  /** Another scenario is shown. */
  "umem-change": CustomEvent<{ status: string; steps: number; scenario: Scenario }>;
  /** Something cannot be shown. */
  "umem-error": CustomEvent<{ message: string }>;
}

/** `<umem-split>`: how a memory region becomes page-table entries. */
export class UmemSplit extends HTMLElement {
  static readonly observedAttributes: string[];

  // The attributes. What is not set says its default; null takes the attribute away.
  get preset(): string;
  set preset(name: PresetName | (string & {}) | null);
  /** The scenario that is shown, once there is one; a text that is set is JSON. */
  get scenario(): Scenario | null;
  set scenario(value: Scenario | string | null);
  get src(): string;
  set src(address: string | URL | null);
  get controls(): Controls;
  set controls(which: Controls | null);
  get lanes(): string;
  set lanes(names: string | null);
  get theme(): Theme;
  set theme(name: Theme | null);
  get speed(): number | null;
  set speed(steps: number | null);
  get at(): number | null;
  set at(step: number | null);
  autoplay: boolean;
  loop: boolean;

  /** "257 entries: 255 × 4K + 1 × 1M + 1 × 2M", or why there are none; empty until it is ready. */
  readonly status: string;
  /** How many steps there are. */
  readonly steps: number;
  /** The step under way, from 0 to `steps`. */
  readonly moment: number;
  readonly playing: boolean;
  /** Whether it can be seen. */
  readonly ready: boolean;

  /** Plays, from the beginning if it is at the end. */
  play(): void;
  pause(): void;
  /** On to the next step; from the end to the beginning. */
  step(): void;
  /** To step `n`, from 0 to `steps`; or to the step of that name, as `umem-step` tells it. A stage alone ("cut") is its first step. */
  seek(n: number | StepName): void;
  /** How umem's own page leads its picture: shows what a widget of the page's code shows, and asks that for everything. */
  follow(widget: object): void;
  /** Draws at once, when what such a widget shows has changed. */
  refresh(): void;

  addEventListener<K extends keyof UmemSplitEvents>(
    type: K, listener: (this: UmemSplit, event: UmemSplitEvents[K]) => unknown, options?: boolean | AddEventListenerOptions): void;
  addEventListener<K extends keyof HTMLElementEventMap>(
    type: K, listener: (this: UmemSplit, event: HTMLElementEventMap[K]) => unknown, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof UmemSplitEvents>(
    type: K, listener: (this: UmemSplit, event: UmemSplitEvents[K]) => unknown, options?: boolean | EventListenerOptions): void;
  removeEventListener<K extends keyof HTMLElementEventMap>(
    type: K, listener: (this: UmemSplit, event: HTMLElementEventMap[K]) => unknown, options?: boolean | EventListenerOptions): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions): void;
}

// ---- JSX ----

/** `<umem-split>` in JSX: its attributes, its events (React 19 and Preact), and what every element has. */
export interface UmemSplitProps extends Omit<UmemSplitAttributes, "scenario"> {
  /** JSON; React 19 and Preact hand an object over, too. */
  scenario?: Scenario | string;
  "onumem-ready"?: (event: UmemSplitEvents["umem-ready"]) => void;
  "onumem-step"?: (event: UmemSplitEvents["umem-step"]) => void;
  "onumem-change"?: (event: UmemSplitEvents["umem-change"]) => void;
  "onumem-error"?: (event: UmemSplitEvents["umem-error"]) => void;
  children?: any;
  key?: string | number | bigint | null;
  ref?: any;
  id?: string;
  class?: string;
  className?: string;
  style?: any;
  slot?: string;
  title?: string;
  hidden?: boolean;
  [attribute: `data-${string}` | `aria-${string}`]: unknown;
}

declare global {
  interface HTMLElementTagNameMap {
    "umem-split": UmemSplit;
  }
  // Each framework has its own place for names of elements. Where it is not there, this is a name that nobody asks for.
  namespace JSX {
    interface IntrinsicElements { "umem-split": UmemSplitProps }
  }
  namespace React.JSX {
    interface IntrinsicElements { "umem-split": UmemSplitProps }
  }
  namespace preact.JSX {
    interface IntrinsicElements { "umem-split": UmemSplitProps }
  }
}
