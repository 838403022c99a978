#include "gateway/http/client_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/asio/buffer.hpp"
#include "boost/asio/error.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/ssl/stream.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "boost/asio/write.hpp"

namespace entrepot::gateway::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// The largest TLS record. A head and a body that fit into one are sent as one.
constexpr size_t kTlsRecordBytes = 16384;
// One read of a TLS connection takes up to this many bytes if they have arrived already.
constexpr size_t kTlsReadBytes = 256 << 10;
constexpr size_t kDropBytes = 16384;

// The message that is left to send after `sent` bytes of the two parts.
msghdr Remaining(std::array<iovec, 2>& parts, size_t sent) {
  for (iovec& part : parts) {
    const size_t skip = std::min(sent, part.iov_len);
    part.iov_base = static_cast<char*>(part.iov_base) + skip;
    part.iov_len -= skip;
    sent -= skip;
  }
  msghdr message{};
  const size_t done = parts[0].iov_len == 0 ? 1 : 0;
  message.msg_iov = parts.data() + done;
  message.msg_iovlen = parts.size() - done;
  return message;
}

iovec ToPart(absl::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

}  // namespace

struct ClientSocket::Tls {
  Tls(Socket& socket, std::shared_ptr<asio::ssl::context> used) : context(std::move(used)), stream(socket, *context) {}

  std::shared_ptr<asio::ssl::context> context;
  asio::ssl::stream<Socket&> stream;
  std::string record;
};

ClientSocket::ClientSocket(asio::io_context& io, OwnedFd fd, const RateMeter& meter,
                           std::shared_ptr<asio::ssl::context> tls)
    : socket_(io), meter_(meter) {
  error_code error;  // A socket that cannot be assigned reads as closed.
  socket_.assign(asio::ip::tcp::v4(), fd.get(), error);
  if (!error) fd.release();
  socket_.non_blocking(true, error);
  if (tls) tls_ = std::make_unique<Tls>(socket_, std::move(tls));
}

ClientSocket::~ClientSocket() = default;

void ClientSocket::BoundByDeadline(Clock::time_point deadline) {
  by_rate_ = false;
  deadline_ = deadline;
}

void ClientSocket::BoundByRate() {
  by_rate_ = true;
  meter_.Restart();
}

asio::awaitable<absl::Status> ClientSocket::Handshake() {
  error_code error;
  BeginWait();
  co_await tls_->stream.async_handshake(asio::ssl::stream_base::server,
                                        asio::redirect_error(asio::use_awaitable, error));
  EndWait();
  co_return ToStatus(error);
}

asio::awaitable<absl::StatusOr<size_t>> ClientSocket::Read(char* data, size_t size) {
  error_code error;
  size_t read = 0;
  BeginWait();
  if (tls_) {
    read = co_await tls_->stream.async_read_some(asio::buffer(data, size),
                                                 asio::redirect_error(asio::use_awaitable, error));
    // A record is small compared to the buffers of bodies, so also read the records that have arrived already. An error
    // after the first record occurs again at the next read.
    while (!error && read < size && read < kTlsReadBytes && HasReceived()) {
      error_code behind;
      read += co_await tls_->stream.async_read_some(asio::buffer(data + read, size - read),
                                                    asio::redirect_error(asio::use_awaitable, behind));
      if (behind) break;
    }
  } else {
    read = co_await socket_.async_read_some(asio::buffer(data, size), asio::redirect_error(asio::use_awaitable, error));
  }
  EndWait();
  meter_.Add(read);
  if (!error) co_return read;
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) co_return size_t{0};
  co_return ToStatus(error);
}

bool ClientSocket::HasReceived() {
  if (SSL_pending(tls_->stream.native_handle()) > 0) return true;
  error_code ignored;
  return socket_.available(ignored) > 0;
}

asio::awaitable<absl::Status> ClientSocket::Write(absl::string_view first, absl::string_view second, bool more) {
  return tls_ ? WriteTls(first, second) : WritePlain(first, second, more);
}

asio::awaitable<absl::Status> ClientSocket::WritePlain(absl::string_view first, absl::string_view second, bool more) {
  std::array<iovec, 2> parts = {ToPart(first), ToPart(second)};
  msghdr message = Remaining(parts, 0);
  while (true) {
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (sent >= 0) {
      CountSent(static_cast<size_t>(sent));
      message = Remaining(parts, static_cast<size_t>(sent));
      if (parts[0].iov_len + parts[1].iov_len == 0) co_return absl::OkStatus();
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (absl::Status status = co_await WaitForRoom(); !status.ok()) co_return status;
    } else if (errno != EINTR) {
      co_return ToStatus(error_code(errno, boost::system::system_category()));
    }
  }
}

asio::awaitable<absl::Status> ClientSocket::WriteTls(absl::string_view first, absl::string_view second) {
  const bool joined = !second.empty() && first.size() + second.size() <= kTlsRecordBytes;
  if (joined) {
    tls_->record.assign(first.data(), first.size());
    tls_->record.append(second.data(), second.size());
    first = tls_->record;
    second = {};
  }
  for (absl::string_view part : {first, second}) {
    // Record by record, so that the rate is measured while a long part is sent.
    while (!part.empty()) {
      error_code error;
      BeginWait();
      const size_t sent = co_await tls_->stream.async_write_some(asio::buffer(part.data(), part.size()),
                                                                 asio::redirect_error(asio::use_awaitable, error));
      EndWait();
      if (error) co_return ToStatus(error);
      CountSent(sent);
      part.remove_prefix(sent);
    }
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> ClientSocket::WaitForRoom() {
  error_code error;
  BeginWait();
  co_await socket_.async_wait(Socket::wait_write, asio::redirect_error(asio::use_awaitable, error));
  EndWait();
  co_return ToStatus(error);
}

bool ClientSocket::HasInput() {
  pollfd ready{socket_.native_handle(), POLLIN, 0};
  return ::poll(&ready, 1, 0) > 0;
}

bool ClientSocket::IsReset() const {
  pollfd state{socket_.native_handle(), 0, 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLERR | POLLHUP)) != 0;
}

asio::awaitable<void> ClientSocket::CloseGracefully(Clock::time_point deadline) {
  BoundByDeadline(deadline);
  error_code error;
  if (tls_) {
    BeginWait();
    co_await tls_->stream.async_shutdown(asio::redirect_error(asio::use_awaitable, error));
    EndWait();
  }
  socket_.shutdown(Socket::shutdown_send, error);
  char dropped[kDropBytes];
  size_t read = 1;
  while (!error && read > 0 && Clock::now() < deadline) {
    BeginWait();
    read = co_await socket_.async_read_some(asio::buffer(dropped), asio::redirect_error(asio::use_awaitable, error));
    EndWait();
  }
}

void ClientSocket::CutOff() {
  error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
  StopWaiting();
}

void ClientSocket::StopWaiting() {
  if (waiting_) Interrupt(Interruption::kStopped);
}

void ClientSocket::OnTick(Clock::time_point now) {
  if (waiting_ && (by_rate_ ? meter_.TooSlow(now) : now >= deadline_)) Interrupt(Interruption::kTooSlow);
}

void ClientSocket::BeginWait() {
  waiting_ = true;
  interruption_ = Interruption::kNone;
  if (by_rate_) meter_.BeginWait(Clock::now());
}

void ClientSocket::EndWait() {
  waiting_ = false;
  if (by_rate_) meter_.EndWait(Clock::now());
}

void ClientSocket::Interrupt(Interruption reason) {
  interruption_ = reason;
  error_code ignored;
  socket_.cancel(ignored);
}

absl::Status ClientSocket::ToStatus(const error_code& error) const {
  if (!error) return absl::OkStatus();
  if (error == asio::error::operation_aborted && interruption_ == Interruption::kTooSlow) {
    return absl::DeadlineExceededError("the client is slower than the minimum rate");
  }
  if (error == asio::error::operation_aborted && interruption_ == Interruption::kStopped) {
    return absl::CancelledError("the server is stopping");
  }
  return absl::UnavailableError(absl::StrCat("the connection to the client failed: ", error.message()));
}

}  // namespace entrepot::gateway::http
