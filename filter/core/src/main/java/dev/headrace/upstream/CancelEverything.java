package dev.headrace.upstream;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hc.client5.http.async.AsyncExecCallback;
import org.apache.hc.client5.http.async.AsyncExecChain;
import org.apache.hc.client5.http.async.AsyncExecChainHandler;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.concurrent.CancellableDependency;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;

/**
 * Makes a cancelled future close its connection also when that connection was a kept-alive one.
 *
 * <p>Up to 5.6.5 at least, {@code AsyncConnectExec} registers the lease of the connection as "what
 * to cancel" after the exchange has already registered itself, when the lease is granted at once. A
 * cancel then cancels a lease that is over, and the upstream goes on generating. This interceptor
 * keeps everything that was ever registered and cancels all of it.
 *
 * <p>And what is registered for an exchange does nothing while the body of an answer with status
 * 400 or more comes in: {@code HttpAsyncMainClientExec} counts such an exchange as over with its
 * head. So the connection itself is registered, too.
 *
 * <p>Stateless and thread-safe.
 */
final class CancelEverything implements AsyncExecChainHandler {

  @Override
  public void execute(
      HttpRequest request,
      AsyncEntityProducer entityProducer,
      AsyncExecChain.Scope scope,
      AsyncExecChain chain,
      AsyncExecCallback callback)
      throws HttpException, IOException {
    Registered all = new Registered();
    scope.cancellableDependency.setDependency(all);
    all.setDependency(
        () -> {
          scope.execRuntime.discardEndpoint(); // nothing once the connection is back in its pool
          return true;
        });
    chain.proceed(
        request,
        entityProducer,
        new AsyncExecChain.Scope(
            scope.exchangeId,
            scope.route,
            scope.originalRequest,
            all,
            scope.clientContext,
            scope.execRuntime,
            scope.scheduler,
            scope.execCount),
        callback);
  }

  /** Everything registered so far; what comes after the cancel is cancelled at once. */
  private static final class Registered implements CancellableDependency {

    private final List<Cancellable> dependencies = new ArrayList<>(4);
    private boolean cancelled;

    @Override
    public void setDependency(Cancellable dependency) {
      synchronized (this) {
        if (!cancelled) {
          dependencies.add(dependency);
          return;
        }
      }
      dependency.cancel();
    }

    @Override
    public synchronized boolean isCancelled() {
      return cancelled;
    }

    @Override
    public boolean cancel() {
      List<Cancellable> toCancel;
      synchronized (this) {
        if (cancelled) {
          return false;
        }
        cancelled = true;
        toCancel = List.copyOf(dependencies);
        dependencies.clear();
      }
      for (Cancellable dependency : toCancel) {
        dependency.cancel(); // outside the lock: it closes connections and calls back
      }
      return true;
    }
  }
}
