#include "gateway/api/content/list_turns.h"

#include <chrono>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "gateway/api/request/error_response.h"
#include "services/core/client_network.h"
#include "services/status/oci_error.h"

namespace entrepot::gateway::api {
namespace {

using runtime::TurnQueue;

// A page is work for a processor, so more at once would not end sooner. Also few of the executor's threads.
constexpr size_t kAtOnce = 4;
// One client address gets one part of so many of the queue.
constexpr size_t kShare = 4;
constexpr std::chrono::seconds kPatience{10};

}  // namespace

ListTurns::ListTurns(size_t waiting_max, const std::shared_ptr<prometheus::Registry>& registry)
    : waiting_max_(waiting_max),
      waiting_(prometheus::BuildGauge()
                   .Name("entrepot_list_requests_waiting")
                   .Help("Requests for lists that wait for their turn")
                   .Register(*registry)
                   .Add({})),
      refused_(prometheus::BuildCounter()
                   .Name("entrepot_list_requests_refused_total")
                   .Help("Requests for lists that got no turn")
                   .Register(*registry)),
      queue_({.running_max = kAtOnce,
              .waiting_max = waiting_max,
              .waiting_of_holder_max = waiting_max / kShare,
              .patience = kPatience}) {}

boost::asio::awaitable<absl::StatusOr<TurnQueue::Turn>> ListTurns::Take(const http::Request& request) {
  waiting_.Increment();
  std::string client = ClientNetwork(request.remote_address);
  std::variant<TurnQueue::Turn, TurnQueue::Refusal> taken = co_await queue_.Take(std::move(client));
  waiting_.Decrement();
  if (const auto* const refusal = std::get_if<TurnQueue::Refusal>(&taken)) co_return Refuse(*refusal);
  if (request.IsClientGone()) {
    refused_.Add({{"reason", "gone"}}).Increment();
    co_return HttpError(499, OciErrorCode::kUnavailable, "the client has closed the connection");
  }
  co_return std::get<TurnQueue::Turn>(std::move(taken));
}

absl::Status ListTurns::Refuse(TurnQueue::Refusal refusal) {
  const auto too_many = [](absl::string_view message) {
    return HttpError(503, OciErrorCode::kUnavailable, absl::StrCat(message, "; try again"));
  };
  switch (refusal) {
    case TurnQueue::Refusal::kFull:
      refused_.Add({{"reason", "sum"}}).Increment();
      return too_many(
          absl::StrCat("more than ", waiting_max_, " requests for lists wait", " (limits.list_requests_waiting_max)"));
    case TurnQueue::Refusal::kHolderFull:
      refused_.Add({{"reason", "client"}}).Increment();
      return too_many(absl::StrCat("more than ", waiting_max_ / kShare,
                                   " requests for lists of this client address wait",
                                   " (a quarter of limits.list_requests_waiting_max)"));
    case TurnQueue::Refusal::kTooLong:
      break;
  }
  refused_.Add({{"reason", "patience"}}).Increment();
  return too_many("the lists that were requested before took too long");
}

}  // namespace entrepot::gateway::api
