package dev.headrace.upstream;

import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.hc.client5.http.nio.AsyncClientConnectionOperator;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.net.NamedEndpoint;
import org.apache.hc.core5.reactor.ConnectionInitiator;
import org.apache.hc.core5.reactor.IOSession;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * Makes a cancelled connect close its connection, also in the middle of the TLS handshake.
 *
 * <p>Up to 5.6.5 at least, a cancel ends no more than a future once TCP has connected. The
 * handshake goes on, and when it is done nobody takes the connection: it stands in no pool, so that
 * no limit counts it and nothing closes it.
 *
 * <p>Stateless but for the operator behind it, and thread-safe.
 */
final class ClosingConnects implements AsyncClientConnectionOperator {

  private final AsyncClientConnectionOperator operator;

  ClosingConnects(AsyncClientConnectionOperator operator) {
    this.operator = operator;
  }

  @Override
  public Future<ManagedAsyncClientConnection> connect(
      ConnectionInitiator initiator,
      HttpHost host,
      SocketAddress localAddress,
      Timeout timeout,
      Object attachment,
      FutureCallback<ManagedAsyncClientConnection> callback) {
    Sessions sessions = new Sessions(initiator);
    return new Closing(
        operator.connect(sessions, host, localAddress, timeout, attachment, callback), sessions);
  }

  @Override
  public Future<ManagedAsyncClientConnection> connect(
      ConnectionInitiator initiator,
      HttpHost endpointHost,
      NamedEndpoint endpointName,
      SocketAddress localAddress,
      Timeout timeout,
      Object attachment,
      HttpContext context,
      FutureCallback<ManagedAsyncClientConnection> callback) {
    Sessions sessions = new Sessions(initiator);
    return new Closing(
        operator.connect(
            sessions,
            endpointHost,
            endpointName,
            localAddress,
            timeout,
            attachment,
            context,
            callback),
        sessions);
  }

  @Override
  public Future<ManagedAsyncClientConnection> connect(
      ConnectionInitiator initiator,
      HttpHost endpointHost,
      Path unixDomainSocket,
      NamedEndpoint endpointName,
      SocketAddress localAddress,
      Timeout timeout,
      Object attachment,
      HttpContext context,
      FutureCallback<ManagedAsyncClientConnection> callback) {
    Sessions sessions = new Sessions(initiator);
    return new Closing(
        operator.connect(
            sessions,
            endpointHost,
            unixDomainSocket,
            endpointName,
            localAddress,
            timeout,
            attachment,
            context,
            callback),
        sessions);
  }

  @Override
  public void upgrade(ManagedAsyncClientConnection connection, HttpHost host, Object attachment) {
    operator.upgrade(connection, host, attachment);
  }

  @Override
  public void upgrade(
      ManagedAsyncClientConnection connection,
      HttpHost endpointHost,
      NamedEndpoint endpointName,
      Object attachment,
      HttpContext context,
      FutureCallback<ManagedAsyncClientConnection> callback) {
    operator.upgrade(connection, endpointHost, endpointName, attachment, context, callback);
  }

  /** Remembers the session of the address that has answered. Thread-safe. */
  private static final class Sessions implements ConnectionInitiator {
    private final ConnectionInitiator initiator;
    private @Nullable IOSession session; // guarded by this
    private boolean cancelled; // guarded by this

    Sessions(ConnectionInitiator initiator) {
      this.initiator = initiator;
    }

    @Override
    public Future<IOSession> connect(
        NamedEndpoint remoteEndpoint,
        SocketAddress remoteAddress,
        SocketAddress localAddress,
        Timeout timeout,
        Object attachment,
        FutureCallback<IOSession> callback) {
      return initiator.connect(
          remoteEndpoint,
          remoteAddress,
          localAddress,
          timeout,
          attachment,
          new FutureCallback<>() {
            @Override
            public void completed(IOSession connected) {
              remember(connected);
              callback.completed(connected);
            }

            @Override
            public void failed(Exception cause) {
              callback.failed(cause);
            }

            @Override
            public void cancelled() {
              callback.cancelled();
            }
          });
    }

    private void remember(IOSession connected) {
      boolean late;
      synchronized (this) {
        session = connected;
        late = cancelled;
      }
      if (late) {
        connected.close(CloseMode.IMMEDIATE);
      }
    }

    void cancel() {
      IOSession connected;
      synchronized (this) {
        cancelled = true;
        connected = session;
      }
      if (connected != null) {
        connected.close(CloseMode.IMMEDIATE);
      }
    }
  }

  /** A connect whose cancel, unless it comes too late, closes what there is of the connection. */
  private static final class Closing implements Future<ManagedAsyncClientConnection> {
    private final Future<ManagedAsyncClientConnection> connecting;
    private final Sessions sessions;

    Closing(Future<ManagedAsyncClientConnection> connecting, Sessions sessions) {
      this.connecting = connecting;
      this.sessions = sessions;
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
      boolean cancelled = connecting.cancel(mayInterruptIfRunning);
      if (cancelled) {
        sessions.cancel();
      }
      return cancelled;
    }

    @Override
    public boolean isCancelled() {
      return connecting.isCancelled();
    }

    @Override
    public boolean isDone() {
      return connecting.isDone();
    }

    @Override
    public ManagedAsyncClientConnection get() throws InterruptedException, ExecutionException {
      return connecting.get();
    }

    @Override
    public ManagedAsyncClientConnection get(long timeout, TimeUnit unit)
        throws InterruptedException, ExecutionException, TimeoutException {
      return connecting.get(timeout, unit);
    }
  }
}
