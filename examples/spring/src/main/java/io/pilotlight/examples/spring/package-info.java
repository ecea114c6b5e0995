/** A web application. */
@NullMarked
package io.pilotlight.examples.spring;

import org.jspecify.annotations.NullMarked;
