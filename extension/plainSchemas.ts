// To be imported first. Schemas otherwise look at the global `navigator` while they are made, to see whether they may compile
// themselves, and VS Code reports every extension that does so as one to be migrated.
import { config } from 'zod';

config({ jitless: true });
