#include "gateway/api/request/counted_body.h"

#include <memory>
#include <utility>

#include "gateway/api/request/error_response.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

struct Counted {
  http::MemoryBudget::Reservation memory;
  std::string bytes;
};

}  // namespace

absl::Status OutOfMemory(const absl::Status& refused) {
  return HttpError(503, OciErrorCode::kUnavailable, refused.message());
}

absl::StatusOr<SharedBytes> CountedBytes(const http::Request& request, std::string bytes) {
  http::MemoryBudget::Reservation memory = request.ReserveMemory();
  if (const absl::Status status = memory.GrowTo(bytes.capacity()); !status.ok()) return OutOfMemory(status);
  const auto counted = std::make_shared<const Counted>(Counted{std::move(memory), std::move(bytes)});
  return SharedBytes(counted, &counted->bytes);
}

absl::StatusOr<Body> CountedBody(const http::Request& request, std::string bytes) {
  if (bytes.size() <= http::MemoryBudget::kUncountedBytes) return Body(std::move(bytes));
  ASSIGN_OR_RETURN(SharedBytes counted, CountedBytes(request, std::move(bytes)));
  return Body(std::move(counted));
}

}  // namespace entrepot::gateway::api
