// Whose things this browser keeps: one account's. Once another account is signed in here, or this sign-in was ended from
// elsewhere, nothing stays that opens a door. Who has only been away for long keeps it: nobody is locked out by that.
import { forgetAllBut, forgetEverything } from "./kept.js";

const { owner, signIn } = document.body.dataset;

/** Done when nothing of anybody else is kept any more; whoever shows what is kept waits for it. */
export const settled = settle().catch(() => {}); // a browser that keeps nothing

async function settle() {
  if (signIn === "ended") await forgetEverything();
  else if (owner) await forgetAllBut(owner);
}
