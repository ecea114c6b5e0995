package io.pilotlight.agent.identity;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Changes a class so that each of its objects is handed to a {@code Consumer} when it is created.
 *
 * <p>{@code java.security.SecureRandom} is what it is for. Each of its constructors that does not
 * call another begins with {@code super(0)}: {@code aload_0, lconst_0, invokespecial
 * Random.<init>(long)}. The class is given one more constructor, {@code (long)}, which calls that
 * of the superclass and then the consumer, and the others are made to call it instead. So three
 * bytes of each stay where they are and two change: nothing moves, and no table of the class needs
 * to be computed again. That is why no bytecode library is here. The consumer is in a static field
 * that the class is given too, since a class of the boot loader can name none of the agent's.
 *
 * <p>Format: Java Virtual Machine Specification, chapter 4.
 */
final class CreationHook {
  /** The static field, of type {@code java.util.function.Consumer}. */
  static final String FIELD = "pilotlight$created";

  private static final int MAGIC = 0xCAFEBABE;
  private static final int ACC_PRIVATE_SYNTHETIC = 0x1002;
  private static final int ACC_PRIVATE_STATIC_VOLATILE_SYNTHETIC = 0x104a;
  private static final int UTF8 = 1;
  private static final int CLASS = 7;
  private static final int FIELD_REF = 9;
  private static final int METHOD_REF = 10;
  private static final int INTERFACE_METHOD_REF = 11;
  private static final int NAME_AND_TYPE = 12;
  private static final int LONG = 5;
  private static final int DOUBLE = 6;
  private static final int STRING = 8;
  private static final int METHOD_HANDLE = 15;
  private static final int METHOD_TYPE = 16;
  private static final int MODULE = 19;
  private static final int PACKAGE = 20;

  private static final byte ALOAD_0 = 0x2a;
  private static final byte LCONST_0 = 0x09;
  private static final byte LLOAD_1 = 0x1f;
  private static final byte GETSTATIC = (byte) 0xb2;
  private static final byte INVOKESPECIAL = (byte) 0xb7;
  private static final byte INVOKEINTERFACE = (byte) 0xb9;
  private static final byte RETURN = (byte) 0xb1;

  private final ByteBuffer in;
  private final int poolCount;
  private final int[] pool;
  private final ByteArrayOutputStream addedPool = new ByteArrayOutputStream();
  private final DataOutputStream added = new DataOutputStream(addedPool);
  private int nextIndex;

  private CreationHook(byte[] classFile) {
    in = ByteBuffer.wrap(classFile).asReadOnlyBuffer();
    if (in.getInt() != MAGIC) {
      throw new IllegalArgumentException("no class file");
    }
    in.getInt();
    poolCount = Short.toUnsignedInt(in.getShort());
    pool = new int[poolCount];
    nextIndex = poolCount;
  }

  /**
   * The changed class.
   *
   * @throws IllegalArgumentException if no constructor is of the shape described above
   */
  static byte[] insert(byte[] classFile) throws IOException {
    return new CreationHook(classFile).rewrite(classFile.clone());
  }

  private byte[] rewrite(byte[] out) throws IOException {
    int poolStart = in.position();
    skipPool();
    int poolEnd = in.position();
    skip(2);
    int thisClass = u2();
    int superClass = u2();
    skip(2 * u2());
    int fields = in.position();
    int fieldCount = u2();
    skipMembers(fieldCount);
    int methods = in.position();
    int methodCount = u2();

    int constructorName = utf8("<init>");
    int constructorType = utf8("(J)V");
    int constructor = ref(METHOD_REF, thisClass, constructorName, constructorType);
    int superConstructor = retarget(out, methodCount, superClass, constructor);
    int end = in.position();

    int fieldName = utf8(FIELD);
    int consumer = utf8("Ljava/util/function/Consumer;");
    int field = ref(FIELD_REF, thisClass, fieldName, consumer);
    int consumerClass = entry(CLASS, utf8("java/util/function/Consumer"));
    int accept =
        ref(INTERFACE_METHOD_REF, consumerClass, utf8("accept"), utf8("(Ljava/lang/Object;)V"));
    int code = utf8("Code");

    ByteArrayOutputStream bytes = new ByteArrayOutputStream(out.length + 512);
    DataOutputStream data = new DataOutputStream(bytes);
    data.write(out, 0, poolStart - 2);
    data.writeShort(nextIndex);
    data.write(out, poolStart, poolEnd - poolStart);
    addedPool.writeTo(data);
    data.write(out, poolEnd, fields - poolEnd);
    data.writeShort(fieldCount + 1);
    data.write(out, fields + 2, methods - fields - 2);
    data.writeShort(ACC_PRIVATE_STATIC_VOLATILE_SYNTHETIC);
    data.writeShort(fieldName);
    data.writeShort(consumer);
    data.writeShort(0);
    data.writeShort(methodCount + 1);
    data.write(out, methods + 2, end - methods - 2);
    data.writeShort(ACC_PRIVATE_SYNTHETIC);
    data.writeShort(constructorName);
    data.writeShort(constructorType);
    data.writeShort(1);
    data.writeShort(code);
    byte[] body = body(superConstructor, field, accept);
    data.writeInt(12 + body.length);
    // Operands: this and a long. Locals: the same.
    data.writeShort(3);
    data.writeShort(3);
    data.writeInt(body.length);
    data.write(body);
    // No exception table, no attributes.
    data.writeShort(0);
    data.writeShort(0);
    data.write(out, end, out.length - end);
    return bytes.toByteArray();
  }

  private static byte[] body(int superConstructor, int field, int accept) {
    return ByteBuffer.allocate(15)
        .put(ALOAD_0)
        .put(LLOAD_1)
        .put(INVOKESPECIAL)
        .putShort((short) superConstructor)
        .put(GETSTATIC)
        .putShort((short) field)
        .put(ALOAD_0)
        .put(INVOKEINTERFACE)
        .putShort((short) accept)
        // Two operands; the fourth byte is always 0.
        .put((byte) 2)
        .put((byte) 0)
        .put(RETURN)
        .array();
  }

  /** Reads the methods; gives the index of the constructor that those changed had called. */
  private int retarget(byte[] out, int methodCount, int superClass, int constructor) {
    int superConstructor = 0;
    for (int i = 0; i < methodCount; i++) {
      skip(2);
      boolean isConstructor = text(u2()).equals("<init>");
      skip(2);
      for (int attributes = u2(); attributes > 0; attributes--) {
        boolean isCode = text(u2()).equals("Code");
        int length = in.getInt();
        int start = in.position() + 8;
        if (isConstructor && isCode && callsSuper(start, superClass)) {
          superConstructor = Short.toUnsignedInt(in.getShort(start + 3));
          out[start + 3] = (byte) (constructor >> Byte.SIZE);
          out[start + 4] = (byte) constructor;
        }
        skip(length);
      }
    }
    if (superConstructor == 0) {
      throw new IllegalArgumentException("no constructor begins with super(0)");
    }
    return superConstructor;
  }

  private boolean callsSuper(int code, int superClass) {
    return in.get(code) == ALOAD_0
        && in.get(code + 1) == LCONST_0
        && in.get(code + 2) == INVOKESPECIAL
        && Short.toUnsignedInt(in.getShort(pool[Short.toUnsignedInt(in.getShort(code + 3))] + 1))
            == superClass;
  }

  private void skipPool() {
    for (int i = 1; i < poolCount; i++) {
      pool[i] = in.position();
      int tag = in.get();
      switch (tag) {
        case UTF8 -> skip(u2());
        case CLASS, STRING, METHOD_TYPE, MODULE, PACKAGE -> skip(2);
        case METHOD_HANDLE -> skip(3);
        case LONG, DOUBLE -> {
          skip(8);
          // They take two numbers.
          i++;
        }
        default -> skip(4);
      }
    }
  }

  private void skipMembers(int count) {
    for (int i = 0; i < count; i++) {
      skip(6);
      for (int attributes = u2(); attributes > 0; attributes--) {
        skip(2);
        skip(in.getInt());
      }
    }
  }

  private String text(int index) {
    int length = Short.toUnsignedInt(in.getShort(pool[index] + 1));
    byte[] bytes = new byte[length];
    in.get(pool[index] + 3, bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private int utf8(String text) throws IOException {
    added.writeByte(UTF8);
    added.writeUTF(text);
    return nextIndex++;
  }

  private int entry(int tag, int... operands) throws IOException {
    added.writeByte(tag);
    for (int operand : operands) {
      added.writeShort(operand);
    }
    return nextIndex++;
  }

  private int ref(int tag, int owner, int name, int type) throws IOException {
    return entry(tag, owner, entry(NAME_AND_TYPE, name, type));
  }

  private int u2() {
    return Short.toUnsignedInt(in.getShort());
  }

  private void skip(int bytes) {
    in.position(in.position() + bytes);
  }
}
