/**
 * What org.crac looks for by the system property {@code org.crac.Core.Compat}: checkpoint and
 * restore on a JDK that has neither. The agent defines these classes in the boot loader, so that
 * org.crac sees them from whatever class loader it was loaded by; nothing else of the agent is
 * there. So they use nothing but java.base, and only the agent and org.crac call them.
 *
 * <p>The contract is the one of the package org.crac: <a
 * href="https://javadoc.io/doc/org.crac/crac/1.5.0/org/crac/package-summary.html">org.crac 1.5.0,
 * "Global Context Properties"</a>.
 */
@NullMarked
package io.pilotlight.crac;

import org.jspecify.annotations.NullMarked;
