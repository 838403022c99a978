#include "gateway/http/server/connection.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "absl/strings/ascii.h"
#include "gateway/http/http1/http1_codec.h"
#include "gateway/http/server/proxy_header.h"
#include "services/runtime/log/limited_log.h"

namespace entrepot::gateway::http {
namespace {

namespace asio = boost::asio;

// How long a client may keep sending after its last response before the connection is cut.
constexpr std::chrono::milliseconds kLingerTime{5000};
// The same if nothing more is expected, or if the server is draining.
constexpr std::chrono::milliseconds kShortLingerTime{500};
// While the server drains: how long a handshake may go on.
constexpr std::chrono::milliseconds kDrainingHandshakeTime{5000};
// A proxy that does not send the PROXY protocol connects again and again.
constexpr std::chrono::minutes kRefusalLogInterval{1};
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
      socket_(io, std::move(fd), worker->server.meter, TlsContext(worker->server)) {
  const TrustedProxies* const proxies = worker->server.proxies;
  peer_.address = std::move(remote_address);
  peer_.is_tls = socket_.is_tls();
  peer_.is_trusted_proxy = proxies != nullptr && proxies->Contains(peer_.address);
}

asio::awaitable<void> Connection::Run() {
  const ClientSocket::Clock::time_point now = ClientSocket::Clock::now();
  socket_.BoundByDeadline(now + worker_->server.header_timeout);
  if (worker_->draining) socket_.ShortenDeadline(now + kDrainingHandshakeTime);
  if (peer_.is_trusted_proxy && worker_->server.proxies->send_proxy_header()) {
    const bool identified = co_await ReadProxyHeader();
    if (!identified) co_return;
  }
  if (socket_.is_tls()) {
    const bool ready = co_await BeginTls();
    if (!ready) co_return;
  }
  codec_ = ChooseCodec();
  const Codec::Ending ending = co_await codec_->Serve();
  slot_->SetWaiting(ClientSocket::Clock::now());  // The rest is only a courtesy.
  co_await Close(ending);
}

// TLS begins with a byte that is not a letter, and a request of HTTP with a letter.
asio::awaitable<bool> Connection::BeginTls() {
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

asio::awaitable<bool> Connection::ReadProxyHeader() {
  ProxyHeader header;
  std::array<char, ProxyHeader::kBytesMax> bytes;
  while (header.wanted_bytes() > 0) {
    const absl::StatusOr<size_t> read = co_await socket_.ReadBeforeTls(bytes.data(), header.wanted_bytes());
    if (!read.ok() || *read == 0) {
      // A connection without a byte is a proxy's check whether the port is open.
      if (!header.blank() || absl::IsDeadlineExceeded(read.status())) {
        LogRefusal("the header of the PROXY protocol is not complete");
      }
      co_return false;
    }
    const absl::StatusOr<bool> complete = header.Add({bytes.data(), *read});
    if (!complete.ok()) {
      LogRefusal(complete.status().message());
      co_return false;
    }
  }
  peer_.is_tls = peer_.is_tls || header.is_tls();
  if (!header.address().empty()) peer_.address = header.address();
  // A proxy that sends this header may pass on fields as its client sent them.
  peer_.is_trusted_proxy = worker_->server.proxies->Contains(header.address());
  co_return true;
}

void Connection::LogRefusal(absl::string_view reason) const {
  runtime::LogLimited(runtime::LogLevel::kWarning, "refused a connection of a trusted proxy", peer_.address,
                      {{"reason", reason}, {"remote_address", peer_.address}}, kRefusalLogInterval);
}

// HTTP/1 only. For another version, decide here: by what ALPN selected (services/runtime/tls/certificate_reloader.cc
// offers the protocols), or without TLS by the first bytes of the connection (HTTP/2's preface).
std::unique_ptr<Codec> Connection::ChooseCodec() {
  return std::make_unique<Http1Codec>(worker_, &socket_, slot_.get(), peer_,
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
