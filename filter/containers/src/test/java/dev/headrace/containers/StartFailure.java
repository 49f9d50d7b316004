package dev.headrace.containers;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.apache.catalina.Lifecycle;
import org.apache.catalina.LifecycleEvent;
import org.apache.catalina.LifecycleListener;

/** Keeps what Tomcat logs while an application starts: it does not throw when one fails. */
final class StartFailure extends Handler implements LifecycleListener {

  private final List<String> lines = new CopyOnWriteArrayList<>();
  private final Logger logger = Logger.getLogger("org.apache.catalina");

  List<String> lines() {
    return List.copyOf(lines);
  }

  @Override
  public void lifecycleEvent(LifecycleEvent event) {
    if (event.getType().equals(Lifecycle.BEFORE_START_EVENT)) {
      logger.addHandler(this);
    } else if (event.getType().equals(Lifecycle.AFTER_START_EVENT)) {
      logger.removeHandler(this);
    }
  }

  @Override
  public void publish(LogRecord line) {
    lines.add(line.getMessage());
    for (Throwable t = line.getThrown(); t != null; t = t.getCause()) {
      lines.add(String.valueOf(t.getMessage()));
    }
  }

  @Override
  public void flush() {}

  @Override
  public void close() {}
}
