/** The life of zygotes and clones: building, frozen, lost; forked, waiting, serving, ended. */
@NullMarked
package io.pilotlight.zygote;

import org.jspecify.annotations.NullMarked;
