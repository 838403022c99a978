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
#include "gateway/http/message.h"
#include "gateway/http/rate_meter.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::gateway::http {

// One client's connection, with or without TLS. Every wait is bounded, by a deadline or by the minimum rate of a body.
// Used by one coroutine on the thread of its io_context; all other calls come from that thread too.
//
// Errors of all operations: kUnavailable (the client disconnected), kDeadlineExceeded (the client was too slow),
// kCancelled (StopWaiting() was called).
class ClientSocket final : public ClientConnection {
 public:
  using Clock = RateMeter::Clock;

  // `fd` is a connected socket. With `tls`, call Handshake() first.
  ClientSocket(boost::asio::io_context& io, OwnedFd fd, const RateMeter& meter,
               std::shared_ptr<boost::asio::ssl::context> tls);
  ~ClientSocket() override;

  ClientSocket(const ClientSocket&) = delete;
  ClientSocket& operator=(const ClientSocket&) = delete;

  bool is_tls() const { return tls_ != nullptr; }
  // For sendfile, on a connection without TLS.
  int native_handle() { return socket_.native_handle(); }

  // The bound of all waits from now on.
  void BoundByDeadline(Clock::time_point deadline);
  void BoundByRate();  // Starts measuring: a new body begins.

  boost::asio::awaitable<absl::Status> Handshake();

  // Waits for bytes; 0 after the client has ended its side.
  boost::asio::awaitable<absl::StatusOr<size_t>> Read(char* data, size_t size);

  // Sends both, in as few packets as possible. With `more`, an incomplete packet is held back for the next write, which
  // must follow at once.
  boost::asio::awaitable<absl::Status> Write(absl::string_view first, absl::string_view second = {}, bool more = false);

  // For writes to native_handle(): WaitForRoom() waits until the socket takes bytes, CountSent() counts those sent.
  boost::asio::awaitable<absl::Status> WaitForRoom();
  void CountSent(size_t bytes) {
    meter_.Add(bytes);
    bytes_sent_ += bytes;
  }
  // Bytes sent since the connection began, without TLS's overhead.
  uint64_t bytes_sent() const { return bytes_sent_; }

  // Whether bytes from the client can be read now.
  bool HasInput();

  bool IsReset() const override;

  // Ends this side, then drops what the client still sends until the client closes or the deadline passes. Closing at
  // once could reset the connection before the client has read the last response.
  boost::asio::awaitable<void> CloseGracefully(Clock::time_point deadline);

  // Ends reading and writing at once; a wait under way fails. The descriptor stays open until the destructor, because
  // another thread may be writing to it.
  void CutOff();

  // Ends the wait under way, if any, with kCancelled.
  void StopWaiting();

  // Ends the wait under way if it exceeds its bound.
  void OnTick(Clock::time_point now);

 private:
  struct Tls;
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
  enum class Interruption { kNone, kTooSlow, kStopped };

  void BeginWait();
  void EndWait();
  // Whether bytes of a TLS connection can be read without waiting.
  bool HasReceived();
  void Interrupt(Interruption reason);
  absl::Status ToStatus(const boost::system::error_code& error) const;
  boost::asio::awaitable<absl::Status> WritePlain(absl::string_view first, absl::string_view second, bool more);
  boost::asio::awaitable<absl::Status> WriteTls(absl::string_view first, absl::string_view second);

  // mutable: native_handle() changes nothing, but is not const.
  mutable Socket socket_;
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
