#include "gateway/backends/local/local_blob_backend.h"

#include <cstddef>
#include <string>
#include <utility>
#include <variant>

#include "services/blob/objects/verified_reader.h"
#include "services/blob/objects/verifying_stream.h"
#include "services/blob/sessions/upload_sessions.h"
#include "services/core/content.h"
#include "services/kv/kv_engine.h"
#include "services/runtime/threads/executor_awaitable.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway {
namespace {

using boost::asio::awaitable;
using runtime::RunOn;

class LocalUploadStream : public UploadStream {
 public:
  LocalUploadStream(std::unique_ptr<blob::UploadAppender> appender, runtime::Executor* executor)
      : appender_(std::move(appender)), executor_(executor) {}

  awaitable<absl::Status> Append(absl::string_view bytes) override {
    if (appender_ == nullptr) co_return failure_;
    co_return co_await RunOn(*executor_, [&] {
      failure_ = appender_->Append(bytes);
      // Here, because its destructor saves the session, which must not happen on the caller's thread.
      if (!failure_.ok()) appender_.reset();
      return failure_;
    });
  }

  awaitable<absl::StatusOr<Upload>> Finish() override {
    if (appender_ == nullptr) co_return failure_;
    co_return co_await RunOn(*executor_, [&] {
      absl::StatusOr<Upload> upload = appender_->Finish();
      appender_.reset();
      return upload;
    });
  }

  awaitable<absl::StatusOr<Blob>> FinishAndSeal(const Digest& digest) override {
    if (appender_ == nullptr) co_return failure_;
    co_return co_await RunOn(*executor_, [&] {
      absl::StatusOr<Blob> sealed = appender_->FinishAndSeal(digest);
      appender_.reset();
      return sealed;
    });
  }

 private:
  std::unique_ptr<blob::UploadAppender> appender_;  // Null after a failure.
  absl::Status failure_;
  runtime::Executor* const executor_;
};

class LocalObjectStream : public ByteStream {
 public:
  LocalObjectStream(std::unique_ptr<blob::VerifyingStream> stream, size_t piece_bytes, runtime::Executor* executor)
      : stream_(std::move(stream)), executor_(executor), piece_(piece_bytes, '\0') {}

  awaitable<absl::StatusOr<absl::string_view>> Next() override {
    CO_ASSIGN_OR_RETURN(const size_t count,
                        co_await RunOn(*executor_, [this] { return stream_->Read(piece_.data(), piece_.size()); }));
    co_return absl::string_view(piece_).substr(0, count);
  }

 private:
  const std::unique_ptr<blob::VerifyingStream> stream_;
  runtime::Executor* const executor_;
  std::string piece_;
};

class LocalBlobBackend : public BlobBackend {
 public:
  LocalBlobBackend(blob::BlobStack* stack, const blob::BlobThreads& threads) : stack_(stack), threads_(threads) {}

  awaitable<absl::StatusOr<Upload>> StartUpload(const CallContext& context, const RepositoryName& repository,
                                                DigestAlgorithm algorithm) override {
    co_return co_await RunOn(*threads_.requests, [&] {
      UploadOwner owner = Owner(context, repository);
      owner.client_address = std::string(context.remote_address);
      return sessions().Start(owner, algorithm);
    });
  }

  awaitable<absl::StatusOr<Upload>> GetUpload(const CallContext& context, const RepositoryName& repository,
                                              const UploadId& id) override {
    co_return co_await RunOn(ExecutorFor(id, threads_.requests),
                             [&] { return sessions().Get(Owner(context, repository), id); });
  }

  awaitable<absl::StatusOr<std::unique_ptr<UploadStream>>> AppendToUpload(const CallContext& context,
                                                                          const RepositoryName& repository,
                                                                          const UploadId& id,
                                                                          const AppendOptions& options) override {
    CO_ASSIGN_OR_RETURN(std::unique_ptr<blob::UploadAppender> appender,
                        co_await RunOn(ExecutorFor(id, threads_.large_objects),
                                       [&] { return sessions().Append(Owner(context, repository), id, options); }));
    co_return std::make_unique<LocalUploadStream>(std::move(appender), threads_.large_objects);
  }

  awaitable<absl::StatusOr<Blob>> SealUpload(const CallContext& context, const RepositoryName& repository,
                                             const UploadId& id, const Digest& digest) override {
    co_return co_await RunOn(ExecutorFor(id, threads_.large_objects),
                             [&] { return sessions().Seal(Owner(context, repository), id, digest); });
  }

  awaitable<absl::Status> CancelUpload(const CallContext& context, const RepositoryName& repository,
                                       const UploadId& id) override {
    co_return co_await RunOn(*threads_.large_objects,
                             [&] { return sessions().Cancel(Owner(context, repository), id); });
  }

  awaitable<absl::Status> ForgetUpload(const CallContext& context, const RepositoryName& repository,
                                       const UploadId& id) override {
    co_return co_await RunOn(*threads_.requests, [&] { return sessions().Forget(Owner(context, repository), id); });
  }

  awaitable<absl::StatusOr<ObjectContent>> ReadObject(const CallContext& context, const Blob& blob,
                                                      const ByteRange& range, size_t memory_bytes,
                                                      bool may_redirect) override {
    runtime::Executor* const executor = threads_.For(blob.storage_key);
    const absl::string_view redirected_client = may_redirect ? context.remote_address : absl::string_view();
    const auto open = [&](kv::ReadTier tier) {
      return stack_->reader().Open(blob.storage_key, range, DigestOfWhole(blob, range), tier, redirected_client,
                                   tier == kv::ReadTier::kDisk ? RequesterOf(context) : "");
    };
    absl::StatusOr<blob::ReadContent> opened = open(kv::ReadTier::kMemory);
    if (kv::IsNotInMemory(opened.status())) {
      opened = co_await RunOn(*executor, [&] { return open(kv::ReadTier::kDisk); });
    }
    CO_ASSIGN_OR_RETURN(blob::ReadContent content, std::move(opened));
    if (auto* url = std::get_if<blob::ObjectUrl>(&content)) co_return ObjectContent{.url = std::move(url->url)};
    if (auto* bytes = std::get_if<std::string>(&content)) co_return ObjectContent{.bytes = std::move(*bytes)};
    if (auto* file = std::get_if<OwnedFd>(&content)) {
      co_return ObjectContent{.bytes = FileBody{std::move(*file), range.offset_bytes, range.length_bytes}};
    }
    auto& stream = std::get<std::unique_ptr<blob::VerifyingStream>>(content);
    runtime::Executor* const reading = stream->is_hashed() ? threads_.long_calls : executor;
    if (range.length_bytes > memory_bytes) {
      co_return ObjectContent{
          .bytes = StreamBody{std::make_unique<LocalObjectStream>(std::move(stream), memory_bytes, reading),
                              range.length_bytes}};
    }
    // Read as a whole, so that a corrupt object leads to an error response, not to one that is cut.
    std::string bytes(range.length_bytes, '\0');
    CO_RETURN_IF_ERROR((co_await RunOn(*reading, [&] { return stream->Read(bytes.data(), bytes.size()); })).status());
    co_return ObjectContent{.bytes = std::move(bytes)};
  }

 private:
  static UploadOwner Owner(const CallContext& context, const RepositoryName& repository) {
    return {.repository = repository, .account = context.caller.account};
  }
  blob::UploadSessions& sessions() { return stack_->upload_sessions(); }
  // `usual`, unless the bytes of the upload must be read back first.
  runtime::Executor& ExecutorFor(const UploadId& id, runtime::Executor* usual) {
    return sessions().MustReadBack(id) ? *threads_.long_calls : *usual;
  }

  blob::BlobStack* const stack_;
  const blob::BlobThreads threads_;
};

}  // namespace

std::unique_ptr<BlobBackend> MakeLocalBlobBackend(blob::BlobStack* stack, const blob::BlobThreads& threads) {
  return std::make_unique<LocalBlobBackend>(stack, threads);
}

}  // namespace entrepot::gateway
