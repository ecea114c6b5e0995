/** Functions of somebody who means harm: what they try is denied to an isolated function. */
@NullMarked
package io.pilotlight.examples.hostile;

import org.jspecify.annotations.NullMarked;
