// The element in JSX, by React 18, React 19 and Preact alike.

import type { Scenario } from "umem-split";

const scenario: Scenario = { version: 1, region: { length: "2M" }, memory: { layout: "contiguous" }, device: "mlx5" };

export const plain = <umem-split preset="mail" />;
export const whole = (
  <umem-split
    key="mail" id="mail" className="wide" slot="picture" style={{ width: "100%" }} data-chapter="2" aria-label="The mail"
    scenario={scenario} controls="play" autoplay loop speed={4} at={0} lanes="dma entries" theme="dark"
    onumem-step={({ detail }) => detail.step.toFixed()} onumem-error={({ detail }) => console.error(detail.message)}
  >
    <img src="mail.svg" width={992} height={470} alt="4M less 4K become 257 entries" />
  </umem-split>
);
// @ts-expect-error: there are three
export const some = <umem-split controls="some" />;
// @ts-expect-error: there is no such attribute
export const misspelt = <umem-split presets="mail" />;
// @ts-expect-error: there is no such element
export const other = <umem-splits />;
