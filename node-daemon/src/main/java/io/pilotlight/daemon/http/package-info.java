/** The HTTP door: the native API, the Lambda Invoke API, health and metrics. */
@NullMarked
package io.pilotlight.daemon.http;

import org.jspecify.annotations.NullMarked;
