#include "services/runtime/grpc/grpc_request_id.h"

namespace entrepot::runtime {

void SetRequestId(absl::string_view request_id, grpc::ClientContext* context) {
  if (!request_id.empty()) context->AddMetadata(kRequestIdMetadata, std::string(request_id));
}

std::string RequestIdOf(const grpc::ServerContextBase& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(kRequestIdMetadata);
  return found == metadata.end() ? "" : std::string(found->second.data(), found->second.size());
}

}  // namespace entrepot::runtime
