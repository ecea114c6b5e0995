package io.pilotlight.agent.track;

import java.lang.instrument.ClassFileTransformer;
import java.security.ProtectionDomain;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Changes the methods of the JDK that open files and sockets so that each hands what it has opened
 * to a static method, just before it returns. Nothing branches, so no frame of a method changes.
 *
 * <p>That method is in a class of the same loader as theirs, which can name none of the agent's.
 */
final class OpeningHooks implements ClassFileTransformer {
  /** The class that is told, beside those that are changed. */
  static final String TOLD = "java/io/PilotlightOpenings";

  private static final String LISTENER = "Ljava/util/function/BiConsumer;";
  private static final String DESCRIPTOR = "Ljava/io/FileDescriptor;";

  /** Where an opening method has the descriptor when it returns. */
  private enum Place {
    /** In the field {@code fd} of its object; its first argument is the path. */
    FIELD,
    /** In its first argument; the second is the path. */
    FIRST_ARGUMENT,
    /** In the socket that is its first argument. */
    ACCEPTED,
    /** In what it returns. */
    RESULT
  }

  private record Hook(String type, String method, Place place) {}

  private static final List<Hook> HOOKS =
      List.of(
          new Hook("java/io/FileInputStream", "open", Place.FIELD),
          new Hook("java/io/FileOutputStream", "open", Place.FIELD),
          new Hook("java/io/RandomAccessFile", "open", Place.FIELD),
          new Hook("sun/nio/ch/FileChannelImpl", "open", Place.FIRST_ARGUMENT),
          new Hook("sun/nio/ch/Net", "socket", Place.RESULT),
          new Hook("sun/nio/ch/Net", "serverSocket", Place.RESULT),
          new Hook("sun/nio/ch/UnixDomainSockets", "socket", Place.RESULT),
          new Hook("sun/nio/ch/NioSocketImpl", "accept", Place.ACCEPTED),
          new Hook("sun/nio/ch/SocketChannelImpl", "<init>", Place.FIELD));

  private @Nullable RuntimeException failure;

  /** The classes that are changed. */
  static List<String> types() {
    return HOOKS.stream().map(hook -> hook.type().replace('/', '.')).distinct().toList();
  }

  /** Why a class could not be changed; null if each could. */
  @Nullable RuntimeException failure() {
    return failure;
  }

  @Override
  public byte @Nullable [] transform(
      @Nullable ClassLoader loader,
      String className,
      @Nullable Class<?> redefined,
      @Nullable ProtectionDomain domain,
      byte[] classFile) {
    List<Hook> hooks = HOOKS.stream().filter(hook -> hook.type().equals(className)).toList();
    if (loader != null || hooks.isEmpty()) {
      return null;
    }
    try {
      ClassReader reader = new ClassReader(classFile);
      ClassWriter writer = new ClassWriter(reader, 0);
      reader.accept(new Changer(writer, hooks), 0);
      return writer.toByteArray();
    } catch (RuntimeException e) {
      // What is thrown from here is swallowed by the JVM.
      failure = e;
      return null;
    }
  }

  private static final class Changer extends ClassVisitor {
    private final List<Hook> hooks;

    Changer(ClassVisitor next, List<Hook> hooks) {
      super(Opcodes.ASM9, next);
      this.hooks = hooks;
    }

    @Override
    public MethodVisitor visitMethod(
        int access,
        String name,
        String descriptor,
        @Nullable String signature,
        String @Nullable [] exceptions) {
      MethodVisitor next = super.visitMethod(access, name, descriptor, signature, exceptions);
      return hooks.stream()
          .filter(hook -> hook.method().equals(name))
          .findFirst()
          .<MethodVisitor>map(hook -> new Teller(next, hook, descriptor))
          .orElse(next);
    }
  }

  private static final class Teller extends MethodVisitor {
    private final Hook hook;
    private final boolean named;

    Teller(MethodVisitor next, Hook hook, String descriptor) {
      super(Opcodes.ASM9, next);
      this.hook = hook;
      boolean first = hook.place() == Place.FIELD && descriptor.startsWith("(Ljava/lang/String;");
      this.named = first || hook.place() == Place.FIRST_ARGUMENT;
    }

    @Override
    public void visitInsn(int opcode) {
      if (opcode == Opcodes.RETURN || opcode == Opcodes.ARETURN) {
        switch (hook.place()) {
          case FIELD -> {
            visitVarInsn(Opcodes.ALOAD, 0);
            visitFieldInsn(Opcodes.GETFIELD, hook.type(), "fd", DESCRIPTOR);
          }
          case FIRST_ARGUMENT -> visitVarInsn(Opcodes.ALOAD, 0);
          case ACCEPTED -> visitVarInsn(Opcodes.ALOAD, 1);
          case RESULT -> super.visitInsn(Opcodes.DUP);
        }
        if (named) {
          visitVarInsn(Opcodes.ALOAD, 1);
        } else {
          super.visitInsn(Opcodes.ACONST_NULL);
        }
        visitMethodInsn(
            Opcodes.INVOKESTATIC, TOLD, "opened", "(Ljava/lang/Object;Ljava/lang/Object;)V", false);
      }
      super.visitInsn(opcode);
    }

    @Override
    public void visitMaxs(int maxStack, int maxLocals) {
      super.visitMaxs(maxStack + 2, maxLocals);
    }
  }

  /** {@link #TOLD}: it passes on what it is told to the listener in its static field. */
  static byte[] told() {
    ClassWriter type = new ClassWriter(ClassWriter.COMPUTE_MAXS);
    type.visit(
        Opcodes.V17,
        Opcodes.ACC_PUBLIC | Opcodes.ACC_FINAL | Opcodes.ACC_SUPER,
        TOLD,
        null,
        "java/lang/Object",
        null);
    type.visitField(
            Opcodes.ACC_PUBLIC | Opcodes.ACC_STATIC | Opcodes.ACC_VOLATILE,
            "listener",
            LISTENER,
            null,
            null)
        .visitEnd();
    MethodVisitor method =
        type.visitMethod(
            Opcodes.ACC_PUBLIC | Opcodes.ACC_STATIC,
            "opened",
            "(Ljava/lang/Object;Ljava/lang/Object;)V",
            null,
            null);
    method.visitCode();
    method.visitFieldInsn(Opcodes.GETSTATIC, TOLD, "listener", LISTENER);
    method.visitVarInsn(Opcodes.ALOAD, 0);
    method.visitVarInsn(Opcodes.ALOAD, 1);
    method.visitMethodInsn(
        Opcodes.INVOKEINTERFACE,
        "java/util/function/BiConsumer",
        "accept",
        "(Ljava/lang/Object;Ljava/lang/Object;)V",
        true);
    method.visitInsn(Opcodes.RETURN);
    method.visitMaxs(0, 0);
    method.visitEnd();
    type.visitEnd();
    return type.toByteArray();
  }
}
