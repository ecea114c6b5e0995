/**
 * The kernel, as the rest of Pilotlight sees it. JNA is used in this package only, and errno is
 * read in one place: {@link io.pilotlight.linux.Kernel}. Numbers and layouts are those of Linux on
 * x86-64.
 */
@NullMarked
package io.pilotlight.linux;

import org.jspecify.annotations.NullMarked;
