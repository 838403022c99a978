#include "gateway/backends/testing/read_body.h"

#include <unistd.h>

#include <optional>
#include <variant>

#include "absl/strings/str_cat.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway {

using boost::asio::awaitable;

awaitable<absl::StatusOr<std::string>> ReadNext(Body& body) {
  if (auto* stream = std::get_if<StreamBody>(&body)) {
    CO_ASSIGN_OR_RETURN(const absl::string_view bytes, co_await stream->stream->Next());
    co_return std::string(bytes);
  }
  auto* const sequence = std::get_if<SequenceBody>(&body);
  if (sequence == nullptr) co_return absl::InvalidArgumentError("the body does not arrive piece by piece");
  CO_ASSIGN_OR_RETURN(std::optional<BodyPiece> piece, co_await sequence->pieces->Next());
  if (!piece.has_value()) co_return "";
  if (auto* text = std::get_if<std::string>(&*piece)) co_return std::move(*text);
  if (auto* file = std::get_if<FileBody>(&*piece)) {
    std::string bytes(file->length_bytes, '\0');
    const ssize_t count = pread(file->file.get(), bytes.data(), bytes.size(), static_cast<off_t>(file->offset_bytes));
    if (count != static_cast<ssize_t>(bytes.size())) co_return absl::DataLossError("the file is too short");
    co_return bytes;
  }
  CO_ASSIGN_OR_RETURN(const absl::string_view bytes, co_await std::get<StreamBody>(*piece).stream->Next());
  co_return std::string(bytes);
}

awaitable<ReadResult> ReadAll(Body& body) {
  ReadResult result;
  for (;;) {
    const absl::StatusOr<std::string> bytes = co_await ReadNext(body);
    result.status = bytes.status();
    if (!bytes.ok() || bytes->empty()) co_return result;
    absl::StrAppend(&result.bytes, *bytes);
  }
}

uint64_t LengthOf(const Body& body) {
  if (const auto* stream = std::get_if<StreamBody>(&body)) return stream->length_bytes;
  return std::get<SequenceBody>(body).length_bytes;
}

}  // namespace entrepot::gateway
