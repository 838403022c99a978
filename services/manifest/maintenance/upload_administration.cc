#include "services/manifest/maintenance/upload_administration.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/core/client_network.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

constexpr size_t kUploadsPerPage = 1000;

UploadFilter ToFilter(const types::v1::UploadFilter& message) {
  UploadFilter filter = FromMessage(message);
  filter.client = ClientNetwork(filter.client);
  return filter;
}

}  // namespace

absl::StatusOr<types::v1::UploadList> ListUploads(const v1::ListUploads& command, BlobStorage& objects) {
  const size_t limit = command.limit() == 0 ? kUploadsPerPage : std::min<size_t>(command.limit(), kUploadsPerPage);
  ASSIGN_OR_RETURN(const OpenUploadPage page,
                   objects.ListUploads(ToFilter(command.filter()), command.start_after(), limit));
  return ToMessage(page);
}

absl::StatusOr<types::v1::CancelledUploads> CancelUploads(const v1::CancelUploads& command, BlobStorage& objects) {
  if (FilterText(command.filter()).empty()) {
    return absl::InvalidArgumentError("cancel_uploads needs an id, a repository, an account or a client");
  }
  ASSIGN_OR_RETURN(const CancelledUploads cancelled, objects.CancelUploads(ToFilter(command.filter())));
  return ToMessage(cancelled);
}

std::string FilterText(const types::v1::UploadFilter& filter) {
  std::string text;
  for (const auto& [name, value] : {std::pair("id", &filter.id()), std::pair("repository", &filter.repository()),
                                    std::pair("account", &filter.account()), std::pair("client", &filter.client())}) {
    if (!value->empty()) absl::StrAppend(&text, text.empty() ? "" : " ", name, "=", *value);
  }
  return text;
}

}  // namespace entrepot::manifest
