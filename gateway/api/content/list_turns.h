#ifndef ENTREPOT_GATEWAY_API_CONTENT_LIST_TURNS_H_
#define ENTREPOT_GATEWAY_API_CONTENT_LIST_TURNS_H_

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/http/message.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "services/runtime/threads/turn_queue.h"

namespace entrepot::gateway::api {

// The requests for lists (tags, repositories, referrers) take turns, so that many of them take neither the threads nor
// the memory that pulls and pushes need. Thread-safe.
//
// Metrics: entrepot_list_requests_waiting, and entrepot_list_requests_refused_total{reason}: "sum" or "client" for a
// queue that is full, "patience" for a turn that did not come in time, "gone" for a client that has left.
class ListTurns {
 public:
  // `waiting_max`: limits.list_requests_waiting_max.
  ListTurns(size_t waiting_max, const std::shared_ptr<prometheus::Registry>& registry);

  // Waits until the request may read its list. The turn ends with the result, so keep it while the list is read and
  // written as JSON. 503: too many wait, in sum or of this client's address, or it took too long. 499: the client has
  // reset the connection; nothing reads the response.
  boost::asio::awaitable<absl::StatusOr<runtime::TurnQueue::Turn>> Take(const http::Request& request);

 private:
  absl::Status Refuse(runtime::TurnQueue::Refusal refusal);

  const size_t waiting_max_;
  prometheus::Gauge& waiting_;
  prometheus::Family<prometheus::Counter>& refused_;
  runtime::TurnQueue queue_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_LIST_TURNS_H_
