#ifndef ENTREPOT_GATEWAY_HTTP_CLIENT_SOCKET_H_
#define ENTREPOT_GATEWAY_HTTP_CLIENT_SOCKET_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/ssl/context.hpp"
#include "gateway/http/rate_meter.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::gateway::http {

// One client's connection, plain or TLS, whose every wait is bounded: by a deadline, or by the least rate that a body
// must keep. Used by one coroutine on the thread of its io_context; OnTick() and the like come from that same thread.
//
// Errors of all operations: kUnavailable (the client went away), kDeadlineExceeded (it was too slow), kCancelled
// (StopWaiting).
class ClientSocket {
 public:
  using Clock = RateMeter::Clock;

  // `fd`: a connected socket. With `tls` Handshake() comes first.
  ClientSocket(boost::asio::io_context& io, OwnedFd fd, const RateMeter& meter,
               std::shared_ptr<boost::asio::ssl::context> tls);
  ~ClientSocket();

  ClientSocket(const ClientSocket&) = delete;
  ClientSocket& operator=(const ClientSocket&) = delete;

  bool is_tls() const { return tls_ != nullptr; }
  // For sendfile; of a plain connection.
  int native_handle() { return socket_.native_handle(); }

  // What bounds the waits from now on.
  void BoundByDeadline(Clock::time_point deadline);
  void BoundByRate();  // A new body begins.

  boost::asio::awaitable<absl::Status> Handshake();

  // Waits for bytes; 0 where the client sent its last.
  boost::asio::awaitable<absl::StatusOr<size_t>> Read(char* data, size_t size);

  // Sends both, in as few packets as possible. `more`: hold back what does not fill a packet, the rest comes at once.
  boost::asio::awaitable<absl::Status> Write(absl::string_view first, absl::string_view second = {}, bool more = false);

  // For who writes to native_handle(): waits for room, and says what was sent.
  boost::asio::awaitable<absl::Status> WaitForRoom();
  void CountSent(size_t bytes) {
    meter_.Add(bytes);
    bytes_sent_ += bytes;
  }
  // Since the connection began, without TLS's own.
  uint64_t bytes_sent() const { return bytes_sent_; }

  // Whether bytes of the client lie ready to be read.
  bool HasInput();

  // Says that no more is coming, so that the client can read what was sent, then drops what it still sends until it
  // closes or the deadline passes: closing at once could reset the connection under the client's eyes.
  boost::asio::awaitable<void> CloseGracefully(Clock::time_point deadline);

  // Ends reading and writing at once; what waits for it sees the connection fail. The descriptor stays open until the
  // destructor: another thread may be writing to it.
  void CutOff();

  // Ends the wait under way, if there is one, with kCancelled.
  void StopWaiting();

  // Ends the wait under way where it took too long.
  void OnTick(Clock::time_point now);

 private:
  struct Tls;
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
  enum class Interruption { kNone, kTooSlow, kStopped };

  void BeginWait();
  void EndWait();
  // Bytes of a TLS connection that wait to be read.
  bool HasReceived();
  void Interrupt(Interruption reason);
  absl::Status ToStatus(const boost::system::error_code& error) const;
  boost::asio::awaitable<absl::Status> WritePlain(absl::string_view first, absl::string_view second, bool more);
  boost::asio::awaitable<absl::Status> WriteTls(absl::string_view first, absl::string_view second);

  Socket socket_;
  std::unique_ptr<Tls> tls_;

  bool waiting_ = false;
  Interruption interruption_ = Interruption::kNone;
  bool by_rate_ = false;
  Clock::time_point deadline_ = Clock::time_point::max();
  RateMeter meter_;
  uint64_t bytes_sent_ = 0;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_CLIENT_SOCKET_H_
