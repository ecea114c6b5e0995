package io.pilotlight.it.functions;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A server with Netty's event loops, that listens before it is frozen. It answers each message with
 * its process id and the message.
 */
public final class NettyServer implements Function<String, String> {
  private static final int MESSAGE_BYTES = 64;
  private final EventLoopGroup loops = new NioEventLoopGroup(2);
  private final SocketAddress inherited = listen().localAddress();

  private Channel listen() {
    return new ServerBootstrap()
        .group(loops)
        .channel(NioServerSocketChannel.class)
        .childHandler(
            new ChannelInitializer<SocketChannel>() {
              @Override
              protected void initChannel(SocketChannel channel) {
                channel.pipeline().addLast(new Answering());
              }
            })
        .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .syncUninterruptibly()
        .channel();
  }

  /** Messages are of one length, so that one is never mistaken for a part of another. */
  private static final class Answering extends SimpleChannelInboundHandler<ByteBuf> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, ByteBuf message) {
      String text = message.toString(StandardCharsets.UTF_8);
      context.writeAndFlush(bytes(ProcessHandle.current().pid() + ":" + text.strip()));
    }
  }

  private static ByteBuf bytes(String text) {
    return Unpooled.copiedBuffer(
        String.format("%-" + MESSAGE_BYTES + "s", text), StandardCharsets.UTF_8);
  }

  /**
   * Input: a text. Sends it to a server on the same loops that is started in this call, and to the
   * one that listens since before the freeze, which any clone may answer.
   *
   * @return this process, and both answers, separated by blanks
   */
  @Override
  public String apply(String text) {
    Channel own = listen();
    try {
      String answer = ask(own.localAddress(), text) + " " + ask(inherited, text);
      return ProcessHandle.current().pid() + " " + answer;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    } finally {
      own.close().syncUninterruptibly();
    }
  }

  private String ask(SocketAddress server, String text) throws Exception {
    CompletableFuture<String> answer = new CompletableFuture<>();
    Channel channel =
        new Bootstrap()
            .group(loops)
            .channel(NioSocketChannel.class)
            .handler(new Asking(answer))
            .connect(server)
            .sync()
            .channel();
    channel.writeAndFlush(bytes(text));
    try {
      return answer.get(30, TimeUnit.SECONDS);
    } finally {
      channel.close().sync();
    }
  }

  private static final class Asking extends SimpleChannelInboundHandler<ByteBuf> {
    private final CompletableFuture<String> answer;

    Asking(CompletableFuture<String> answer) {
      this.answer = answer;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, ByteBuf message) {
      answer.complete(message.toString(StandardCharsets.UTF_8).strip());
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      answer.completeExceptionally(cause);
    }
  }
}
