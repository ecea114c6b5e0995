/**
 * What implements and calls the AWS Lambda interfaces.
 *
 * <p>The interfaces are the function's own copy, in its own class loader, so these classes are
 * never used from the agent's loader: {@code AwsBridgeLoader} defines them once more, with the AWS
 * names leading to the function's classes and all others to the agent's. So a call into the
 * function is a plain interface call, with neither proxy nor reflection.
 */
@NullMarked
package io.pilotlight.agent.aws;

import org.jspecify.annotations.NullMarked;
