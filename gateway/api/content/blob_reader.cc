#include "gateway/api/content/blob_reader.h"

#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gateway/api/content/damage_reporting_stream.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {

boost::asio::awaitable<absl::StatusOr<ObjectContent>> BlobReader::Read(const CallContext& call,
                                                                       const RepositoryName& repository, Blob blob,
                                                                       const ByteRange& range, size_t memory_bytes,
                                                                       bool may_redirect) const {
  if (range.length_bytes == 0) co_return ObjectContent();
  absl::StatusOr<ObjectContent> content = co_await blobs_->ReadObject(call, blob, range, memory_bytes, may_redirect);
  if (absl::IsNotFound(content.status())) {
    // The blob may have been collected and pushed again since it was found; then it has another storage key.
    CO_ASSIGN_OR_RETURN(Blob again, co_await manifests_->FindBlob(call, repository, blob.digest));
    if (again.storage_key == blob.storage_key) {
      content = absl::DataLossError(
          absl::StrCat("no object has the storage key ", blob.storage_key.ToString(), " of ", blob.digest.ToString()));
    } else {
      blob = std::move(again);
      content = co_await blobs_->ReadObject(call, blob, range, memory_bytes, may_redirect);
    }
  }
  if (absl::IsDataLoss(content.status())) co_await ReportDamage(*manifests_, call, blob, content.status());
  CO_RETURN_IF_ERROR(content.status());
  if (auto* stream = std::get_if<StreamBody>(&content->bytes)) {
    stream->stream =
        std::make_unique<DamageReportingStream>(std::move(stream->stream), manifests_, call, std::move(blob));
  }
  co_return content;
}

}  // namespace entrepot::gateway::api
