package dev.headrace.upstream;

import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.concurrent.Future;
import org.apache.hc.client5.http.nio.AsyncClientConnectionOperator;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.core5.concurrent.CallbackContribution;
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
      @Nullable SocketAddress localAddress,
      Timeout timeout,
      @Nullable Object attachment,
      FutureCallback<ManagedAsyncClientConnection> callback) {
    return connect(initiator, host, null, localAddress, timeout, attachment, null, callback);
  }

  @Override
  public Future<ManagedAsyncClientConnection> connect(
      ConnectionInitiator initiator,
      HttpHost host,
      @Nullable NamedEndpoint name,
      @Nullable SocketAddress localAddress,
      Timeout timeout,
      @Nullable Object attachment,
      @Nullable HttpContext context,
      FutureCallback<ManagedAsyncClientConnection> callback) {
    return connect(
        initiator, host, null, name, localAddress, timeout, attachment, context, callback);
  }

  @Override
  public Future<ManagedAsyncClientConnection> connect(
      ConnectionInitiator initiator,
      HttpHost host,
      @Nullable Path unixDomainSocket,
      @Nullable NamedEndpoint name,
      @Nullable SocketAddress localAddress,
      Timeout timeout,
      @Nullable Object attachment,
      @Nullable HttpContext context,
      FutureCallback<ManagedAsyncClientConnection> callback) {
    Sessions sessions = new Sessions(initiator);
    return operator.connect(
        sessions,
        host,
        unixDomainSocket,
        name,
        localAddress,
        timeout,
        attachment,
        context,
        sessions.closedOnCancel(callback));
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
          new CallbackContribution<IOSession>(callback) {
            @Override
            public void completed(IOSession connected) {
              remember(connected);
              callback.completed(connected);
            }
          });
    }

    /** A future that is cancelled tells its callback so, unless it was done before. */
    FutureCallback<ManagedAsyncClientConnection> closedOnCancel(
        FutureCallback<ManagedAsyncClientConnection> callback) {
      return new FutureCallback<>() {
        @Override
        public void completed(ManagedAsyncClientConnection connection) {
          callback.completed(connection);
        }

        @Override
        public void failed(Exception cause) {
          callback.failed(cause);
        }

        @Override
        public void cancelled() {
          cancel();
          callback.cancelled();
        }
      };
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

    private void cancel() {
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
}
