package dev.headrace.simulator;

import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/** Walks three lists as one without copying them, as the middle one is shared by many streams. */
final class JoinedLists<T> implements Iterator<T> {
  private final List<List<T>> lists;
  private int list;
  private int next;

  JoinedLists(List<T> first, List<T> middle, List<T> last) {
    this.lists = List.of(first, middle, last);
  }

  @Override
  public boolean hasNext() {
    while (list < lists.size() && next == lists.get(list).size()) {
      list++;
      next = 0;
    }
    return list < lists.size();
  }

  @Override
  public T next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return lists.get(list).get(next++);
  }
}
