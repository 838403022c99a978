#include "services/manifest/maintenance/upload_administration.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/core/client_network.h"
#include "services/core/open_uploads.h"
#include "services/core/time/proto_time.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

constexpr size_t kUploadsPerPage = 1000;

UploadFilter ToFilter(const v1::UploadFilter& filter) {
  return {.id = filter.id(),
          .repository = filter.repository(),
          .account = filter.account(),
          .client = ClientNetwork(filter.client())};
}

v1::OpenUpload ToMessage(const OpenUpload& upload) {
  v1::OpenUpload message;
  message.set_id(upload.id);
  message.set_repository(upload.repository);
  message.set_account(upload.account);
  message.set_client(upload.client);
  message.set_received_bytes(upload.received_bytes);
  *message.mutable_started_at() = ToTimestamp(upload.started_at);
  *message.mutable_touched_at() = ToTimestamp(upload.touched_at);
  *message.mutable_expires_at() = ToTimestamp(upload.expires_at);
  message.set_in_use(upload.in_use);
  return message;
}

}  // namespace

absl::StatusOr<v1::UploadList> ListUploads(const v1::ListUploads& command, BlobStorage& objects) {
  const size_t limit = command.limit() == 0 ? kUploadsPerPage : std::min<size_t>(command.limit(), kUploadsPerPage);
  ASSIGN_OR_RETURN(OpenUploadPage page, objects.ListUploads(ToFilter(command.filter()), command.start_after(), limit));
  v1::UploadList list;
  for (const OpenUpload& upload : page.uploads) *list.add_uploads() = ToMessage(upload);
  list.set_next(std::move(page.next));
  return list;
}

absl::StatusOr<v1::CancelledUploads> CancelUploads(const v1::CancelUploads& command, BlobStorage& objects) {
  if (FilterText(command.filter()).empty()) {
    return absl::InvalidArgumentError("cancel_uploads needs an id, a repository, an account or a client");
  }
  ASSIGN_OR_RETURN(const CancelledUploads cancelled, objects.CancelUploads(ToFilter(command.filter())));
  v1::CancelledUploads message;
  message.set_cancelled(cancelled.cancelled);
  message.set_in_use(cancelled.in_use);
  return message;
}

absl::StatusOr<v1::UploadTotals> CountUploads(BlobStorage& objects) {
  ASSIGN_OR_RETURN(const UploadTotals totals, objects.CountUploads());
  v1::UploadTotals message;
  message.set_sessions(totals.sessions);
  message.set_bytes(totals.bytes);
  return message;
}

std::string FilterText(const v1::UploadFilter& filter) {
  std::string text;
  for (const auto& [name, value] : {std::pair("id", &filter.id()), std::pair("repository", &filter.repository()),
                                    std::pair("account", &filter.account()), std::pair("client", &filter.client())}) {
    if (!value->empty()) absl::StrAppend(&text, text.empty() ? "" : " ", name, "=", *value);
  }
  return text;
}

}  // namespace entrepot::manifest
