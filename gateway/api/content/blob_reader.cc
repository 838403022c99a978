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

boost::asio::awaitable<absl::StatusOr<BodyPiece>> BlobReader::Read(const CallContext& call,
                                                                   const RepositoryName& repository, Blob blob,
                                                                   const ByteRange& range, size_t memory_bytes) const {
  if (range.length_bytes == 0) co_return BodyPiece(std::string());
  absl::StatusOr<BodyPiece> body = co_await blobs_->ReadObject(call, blob, range, memory_bytes);
  if (absl::IsNotFound(body.status())) {
    // The blob may have been collected and pushed again since it was found; then it has another storage key.
    CO_ASSIGN_OR_RETURN(Blob again, co_await manifests_->FindBlob(call, repository, blob.digest));
    if (again.storage_key == blob.storage_key) {
      body = absl::DataLossError(
          absl::StrCat("no object has the storage key ", blob.storage_key.ToString(), " of ", blob.digest.ToString()));
    } else {
      blob = std::move(again);
      body = co_await blobs_->ReadObject(call, blob, range, memory_bytes);
    }
  }
  if (absl::IsDataLoss(body.status())) co_await ReportDamage(*manifests_, call, blob, body.status());
  CO_RETURN_IF_ERROR(body.status());
  if (auto* stream = std::get_if<StreamBody>(&*body)) {
    stream->stream =
        std::make_unique<DamageReportingStream>(std::move(stream->stream), manifests_, call, std::move(blob));
  }
  co_return body;
}

}  // namespace entrepot::gateway::api
