package io.pilotlight.engine;

/**
 * The arguments by which a zygote calls clone(2) for a clone.
 *
 * @param flags what is new for the clone, and the signal at its end
 * @param pidfd where the kernel puts the clone's pidfd in the zygote; 0 if none is made, because
 *     the zygote is in the PID namespace of whoever asks
 * @param leaderThreadId address of glibc's copy of the leader's id
 */
public record CloneCall(long flags, long pidfd, long leaderThreadId) {}
