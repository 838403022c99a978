#include "gateway/http/server/connection.h"

#include <chrono>
#include <utility>

#include "gateway/http/http1/http1_codec.h"

namespace entrepot::gateway::http {
namespace {

namespace asio = boost::asio;

// How long a client may keep sending after its last response before the connection is cut.
constexpr std::chrono::milliseconds kLingerTime{5000};
// The same if nothing more is expected, or if the server is draining.
constexpr std::chrono::milliseconds kShortLingerTime{500};

std::shared_ptr<asio::ssl::context> TlsContext(const ServerContext& server) {
  return server.certificates == nullptr ? nullptr : server.certificates->context();
}

}  // namespace

Connection::Connection(WorkerContext* worker, asio::io_context& io, OwnedFd fd, std::string remote_address)
    : worker_(worker),
      remote_address_(std::move(remote_address)),
      socket_(io, std::move(fd), worker->server.meter, TlsContext(worker->server)) {}

asio::awaitable<void> Connection::Run() {
  if (socket_.is_tls()) {
    socket_.BoundByDeadline(ClientSocket::Clock::now() + worker_->server.header_timeout);
    const absl::Status shaken = co_await socket_.Handshake();
    if (!shaken.ok()) co_return;
  }
  codec_ = ChooseCodec();
  const Codec::Ending ending = co_await codec_->Serve();
  co_await Close(ending);
}

// HTTP/1 only. For another version, decide here: by what ALPN selected (services/runtime/tls/certificate_reloader.cc
// offers the protocols), or without TLS by the first bytes of the connection (HTTP/2's preface).
std::unique_ptr<Codec> Connection::ChooseCodec() {
  return std::make_unique<Http1Codec>(worker_, &socket_, remote_address_);
}

void Connection::Drain() {
  if (codec_ != nullptr) {
    codec_->Drain();
  } else if (!socket_.HasInput()) {
    socket_.StopWaiting();
  }
}

asio::awaitable<void> Connection::Close(Codec::Ending ending) {
  if (ending == Codec::Ending::kCut) co_return;
  if (ending == Codec::Ending::kClose && !socket_.is_tls() && !socket_.HasInput()) co_return;
  const bool linger = ending == Codec::Ending::kLinger && !worker_->draining;
  co_await socket_.CloseGracefully(ClientSocket::Clock::now() + (linger ? kLingerTime : kShortLingerTime));
}

}  // namespace entrepot::gateway::http
