#include "gateway/http/server/connection.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/ascii.h"
#include "gateway/http/http1/http1_codec.h"

namespace entrepot::gateway::http {
namespace {

namespace asio = boost::asio;

// How long a client may keep sending after its last response before the connection is cut.
constexpr std::chrono::milliseconds kLingerTime{5000};
// The same if nothing more is expected, or if the server is draining.
constexpr std::chrono::milliseconds kShortLingerTime{500};
// While the server drains: how long a handshake may go on.
constexpr std::chrono::milliseconds kDrainingHandshakeTime{5000};
constexpr absl::string_view kHttpOnTlsPort =
    "the request came as plain http, and this port speaks https: use https:// in the registry's URL";

std::shared_ptr<asio::ssl::context> TlsContext(const ServerContext& server) {
  return server.certificates == nullptr ? nullptr : server.certificates->context();
}

}  // namespace

Connection::Connection(WorkerContext* worker, asio::io_context& io, OwnedFd fd, std::string remote_address,
                       std::unique_ptr<ConnectionSlots::Slot> slot)
    : worker_(worker),
      slot_(std::move(slot)),
      remote_address_(std::move(remote_address)),
      socket_(io, std::move(fd), worker->server.meter, TlsContext(worker->server)) {}

asio::awaitable<void> Connection::Run() {
  if (socket_.is_tls()) {
    const bool prepared = co_await Prepare();
    if (!prepared) co_return;
  }
  codec_ = ChooseCodec();
  const Codec::Ending ending = co_await codec_->Serve();
  slot_->SetWaiting(ClientSocket::Clock::now());  // The rest is only a courtesy.
  co_await Close(ending);
}

// TLS begins with a byte that is no letter, and a request of HTTP with a letter.
asio::awaitable<bool> Connection::Prepare() {
  const std::chrono::nanoseconds timeout = worker_->server.header_timeout;
  const std::chrono::nanoseconds while_draining = kDrainingHandshakeTime;
  socket_.BoundByDeadline(ClientSocket::Clock::now() +
                          (worker_->draining ? std::min(timeout, while_draining) : timeout));
  const absl::StatusOr<char> first = co_await socket_.PeekFirstByte();
  if (!first.ok()) co_return false;
  if (absl::ascii_isalpha(static_cast<unsigned char>(*first))) {
    is_http_on_tls_port_ = true;
    socket_.DropTls();
    co_return true;
  }
  const absl::Status shaken = co_await socket_.Handshake();
  co_return shaken.ok();
}

// HTTP/1 only. For another version, decide here: by what ALPN selected (services/runtime/tls/certificate_reloader.cc
// offers the protocols), or without TLS by the first bytes of the connection (HTTP/2's preface).
std::unique_ptr<Codec> Connection::ChooseCodec() {
  return std::make_unique<Http1Codec>(worker_, &socket_, slot_.get(), remote_address_,
                                      is_http_on_tls_port_ ? kHttpOnTlsPort : absl::string_view());
}

void Connection::GiveWay() {
  if (!slot_->is_waiting() || socket_.HasInput()) {
    slot_->KeepOpen();
    return;
  }
  gave_way_ = true;
  worker_->server.metrics->CountClosedIdle();
  socket_.CutOff();
}

void Connection::Drain() {
  if (codec_ != nullptr) {
    codec_->Drain();
  } else {
    // The client has just connected.
    socket_.ShortenDeadline(ClientSocket::Clock::now() + kDrainingHandshakeTime);
  }
}

asio::awaitable<void> Connection::Close(Codec::Ending ending) {
  if (ending == Codec::Ending::kCut || gave_way_) co_return;
  if (ending == Codec::Ending::kClose && !socket_.is_tls() && !socket_.HasInput()) co_return;
  const bool linger = ending == Codec::Ending::kLinger && !worker_->draining;
  co_await socket_.CloseGracefully(ClientSocket::Clock::now() + (linger ? kLingerTime : kShortLingerTime));
}

}  // namespace entrepot::gateway::http
