#ifndef ENTREPOT_GATEWAY_HTTP_HTTP1_HTTP1_CODEC_H_
#define ENTREPOT_GATEWAY_HTTP_HTTP1_HTTP1_CODEC_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/http/client_socket.h"
#include "gateway/http/codec.h"
#include "gateway/http/connection_slots.h"
#include "gateway/http/exchange.h"
#include "gateway/http/http1/http1_request_body.h"
#include "gateway/http/http1/read_buffer.h"
#include "gateway/http/http1/request_head.h"
#include "gateway/http/message.h"
#include "gateway/http/peer.h"
#include "gateway/http/worker_context.h"

namespace entrepot::gateway::http {

// HTTP/1.1 and HTTP/1.0 (RFC 9112): answers the requests of a connection one after the other.
class Http1Codec final : public Codec {
 public:
  // All of these must outlive it. `slot` shows whether the connection waits for a request. If `refusal` is not empty,
  // the first request is refused with 400 and this reason, whatever it is.
  Http1Codec(WorkerContext* worker, ClientSocket* socket, ConnectionSlots::Slot* slot, const Peer& peer,
             absl::string_view refusal = {});

  boost::asio::awaitable<Ending> Serve() override;
  void Drain() override;

 private:
  using Clock = ClientSocket::Clock;

  // How the connection ends; nullopt if another request may come.
  using Outcome = std::optional<Ending>;

  boost::asio::awaitable<Outcome> ReadHead();
  boost::asio::awaitable<Outcome> EndOfWaiting(absl::Status status);
  boost::asio::awaitable<Outcome> Refuse(int status, absl::string_view message);
  boost::asio::awaitable<Outcome> Answer();
  // `exchange` is null for a refusal.
  boost::asio::awaitable<absl::Status> Send(Response& response, bool close, Exchange* exchange);
  // These send what is in out_, and then the body.
  boost::asio::awaitable<absl::Status> SendFileBody(const FileBody& body, Exchange* exchange);
  boost::asio::awaitable<absl::Status> SendStream(StreamBody& body, Exchange* exchange);
  boost::asio::awaitable<absl::Status> SendSequence(SequenceBody& body, Exchange* exchange);
  // Of the response that Send() was called for.
  uint64_t BodyBytesSent() const;
  Ending EndingAfterInput() const { return buffer_.empty() ? Ending::kClose : Ending::kShortLinger; }

  WorkerContext* const worker_;
  ClientSocket* const socket_;
  ConnectionSlots::Slot* const slot_;
  const absl::string_view refusal_;
  ReadBuffer buffer_;
  RequestHead head_;
  Http1RequestBody body_;
  Request request_;
  std::string out_;  // The head of the response under way, and text of its body that waits for the next piece.

  bool first_ = true;      // Waits for the first request.
  bool idle_ = true;       // Waits for the first byte of a request.
  Clock::time_point now_;  // The time of the last event, for uses that need no exact time.
  uint64_t sent_before_body_ = 0;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_HTTP1_HTTP1_CODEC_H_
