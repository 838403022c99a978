#include "services/blob/objects/store_owner.h"

#include <fcntl.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/blob/io/file_io.h"
#include "services/blob/io/io_error.h"
#include "services/core/files/owned_fd.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

constexpr char kNewFile[] = "catalog.new";
constexpr size_t kBytesMax = 256;

}  // namespace

absl::StatusOr<StoreOwner> ReadStoreOwner(const BlobDirectory& directory, SystemCalls& calls) {
  const OwnedFd fd = OpenAtFully(calls, directory.root(), kStoreOwnerFile, O_RDONLY);
  if (fd.get() < 0) {
    if (errno == ENOENT) return StoreOwner();
    return ReadError("opening the file catalog", errno);
  }
  std::string text(kBytesMax, '\0');
  ASSIGN_OR_RETURN(const size_t size, PReadFully(calls, fd.get(), text.data(), text.size(), 0));
  text.resize(size);
  std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits(' ', 1));
  StoreOwner owner{.catalog_id = std::string(parts.first)};
  if (owner.catalog_id.empty() || !absl::ConsumeSuffix(&parts.second, "\n") ||
      !absl::SimpleAtoi(parts.second, &owner.generation)) {
    return absl::DataLossError("the blob store's file catalog is damaged");
  }
  return owner;
}

absl::Status WriteStoreOwner(const StoreOwner& owner, const BlobDirectory& directory, SystemCalls& calls) {
  const absl::StatusOr<StoreOwner> now = ReadStoreOwner(directory, calls);
  if (now.ok() && now->catalog_id == owner.catalog_id && now->generation > owner.generation) return absl::OkStatus();
  const OwnedFd fd = OpenAtFully(calls, directory.root(), kNewFile, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  int error = fd.get() < 0
                  ? errno
                  : PWriteFully(calls, fd.get(), absl::StrCat(owner.catalog_id, " ", owner.generation, "\n"), 0);
  if (error == 0) error = FSyncFully(calls, fd.get());
  if (error == 0 && calls.RenameAt(directory.root(), kNewFile, directory.root(), kStoreOwnerFile) != 0) error = errno;
  if (error == 0) error = FSyncFully(calls, directory.root());
  return error == 0 ? absl::OkStatus() : WriteError("writing the file catalog", error);
}

}  // namespace entrepot::blob
