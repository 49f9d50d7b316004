package dev.headrace.applications;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The constant pool of a compiled class (JVM specification, 4.4), as far as calls go. */
final class ClassFile {

  private ClassFile() {}

  /**
   * A method that a class calls.
   *
   * @param owner the class that it is looked for in, with slashes
   */
  record Call(String owner, String name, String descriptor) {

    /** Whether the class of this loader has it, or inherits it. */
    boolean isThereIn(ClassLoader loader) {
      try {
        Class<?> type = loader.loadClass(owner.replace('/', '.'));
        MethodType wanted = MethodType.fromMethodDescriptorString(descriptor, loader);
        return name.equals("<init>")
            || Arrays.stream(type.getMethods())
                .anyMatch(method -> is(method.getName(), method.getParameterTypes(), wanted))
            || Arrays.stream(type.getDeclaredMethods())
                .anyMatch(method -> is(method.getName(), method.getParameterTypes(), wanted));
      } catch (ClassNotFoundException | TypeNotPresentException e) {
        return false;
      }
    }

    private boolean is(String itsName, Class<?>[] parameters, MethodType wanted) {
      return itsName.equals(name) && Arrays.equals(parameters, wanted.parameterArray());
    }
  }

  /** All methods that the class calls or refers to. */
  static List<Call> calls(byte[] bytes) {
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      in.skipNBytes(8);
      int size = in.readUnsignedShort();
      String[] texts = new String[size];
      int[][] pairs = new int[size][];
      List<Integer> methods = new ArrayList<>();
      for (int i = 1; i < size; i++) {
        int tag = in.readUnsignedByte();
        switch (tag) {
          case 1 -> texts[i] = in.readUTF();
          case 3, 4 -> in.skipNBytes(4);
          case 5, 6 -> {
            in.skipNBytes(8);
            i++;
          }
          case 7, 8, 16, 19, 20 -> pairs[i] = new int[] {in.readUnsignedShort()};
          case 9, 10, 11, 12, 17, 18 -> {
            pairs[i] = new int[] {in.readUnsignedShort(), in.readUnsignedShort()};
            if (tag == 10 || tag == 11) {
              methods.add(i);
            }
          }
          case 15 -> in.skipNBytes(3);
          default -> throw new IOException("constant of kind " + tag);
        }
      }
      return methods.stream()
          .map(method -> pairs[method])
          .map(
              method ->
                  new Call(
                      texts[pairs[method[0]][0]],
                      texts[pairs[method[1]][0]],
                      texts[pairs[method[1]][1]]))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
