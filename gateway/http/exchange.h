#ifndef ENTREPOT_GATEWAY_HTTP_EXCHANGE_H_
#define ENTREPOT_GATEWAY_HTTP_EXCHANGE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/http/message.h"
#include "gateway/http/rate_meter.h"
#include "gateway/http/worker_context.h"

namespace entrepot::gateway::http {

// One request and its response, whichever codec carries them: gives the request its id, has it handled, counts it and
// logs it. In flight while it lives. For the worker's thread.
class Exchange {
 public:
  using Clock = RateMeter::Clock;

  // The request's header is complete. Sets `request->request_id`. Both must outlive this.
  // While this lives, the request is that of the client that a trusted proxy reports; then its connection's again.
  Exchange(WorkerContext* worker, Request* request);
  ~Exchange();

  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // The handler's response; 500 if the handler throws.
  boost::asio::awaitable<Response> Handle();

  // The first byte of the response was sent. Optional: without it, that byte counts as sent with the last one.
  void MarkFirstByte() { first_byte_ = Clock::now(); }

  struct Sent {
    absl::Status status;  // Of sending the response.
    uint64_t request_bytes = 0;
    uint64_t response_bytes = 0;  // Both of bodies.
  };
  // Counts and logs the exchange after its response was sent, or after sending failed. Returns the current time.
  Clock::time_point Finish(const Response& response, const Sent& sent);

 private:
  void ReadForwardedClient();

  WorkerContext* const worker_;
  Request* const request_;
  // What the request has of its connection.
  const absl::string_view peer_address_;
  const bool peer_is_tls_;
  std::string client_address_;  // What request_->remote_address refers to if a trusted proxy reports it.
  const Clock::time_point began_;
  Clock::time_point first_byte_;
};

// The response to a request whose header breaks HTTP's grammar or a limit: 400, 405, 408, 414, 417, 431, 501 or 505,
// with `message` as the reason. Sets `request->request_id`; counts and logs the refusal.
Response RefuseRequest(WorkerContext& worker, Request* request, int status, absl::string_view message);

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_EXCHANGE_H_
