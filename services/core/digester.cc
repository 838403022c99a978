// Only the low-level calls of OpenSSL show the running state. OpenSSL keeps them, marked as deprecated.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "services/core/digester.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace entrepot {
namespace {

// Less than the 2^64 bits that SHA-256 can count. No object is that long.
constexpr uint64_t kLengthBytesMax = (uint64_t{1} << 61) - 1;

// The parts of the two contexts. Both have h (the words), Nl and Nh (the low and the high half of the length in bits),
// num (the length of the tail), and the tail's bytes as they came in.
struct Sha256 {
  using Context = SHA256_CTX;
  static constexpr DigestAlgorithm kAlgorithm = DigestAlgorithm::kSha256;
  static constexpr size_t kBlockBytes = SHA256_CBLOCK;
  static constexpr size_t kHashBytes = SHA256_DIGEST_LENGTH;
  static constexpr auto kInit = &SHA256_Init;
  static constexpr auto kUpdate = &SHA256_Update;
  static constexpr auto kFinal = &SHA256_Final;
  static constexpr int kLengthHalfBits = 32;
  static unsigned char* Tail(Context& context) { return reinterpret_cast<unsigned char*>(context.data); }
};

struct Sha512 {
  using Context = SHA512_CTX;
  static constexpr DigestAlgorithm kAlgorithm = DigestAlgorithm::kSha512;
  static constexpr size_t kBlockBytes = SHA512_CBLOCK;
  static constexpr size_t kHashBytes = SHA512_DIGEST_LENGTH;
  static constexpr auto kInit = &SHA512_Init;
  static constexpr auto kUpdate = &SHA512_Update;
  static constexpr auto kFinal = &SHA512_Final;
  static constexpr int kLengthHalfBits = 64;
  static unsigned char* Tail(Context& context) { return context.u.p; }
};

static_assert(sizeof(SHA256_CTX::data) == Sha256::kBlockBytes && sizeof(SHA256_CTX::Nl) == 4);
static_assert(sizeof(SHA512_CTX::u) == Sha512::kBlockBytes && sizeof(SHA512_CTX::Nl) == 8);
static_assert(std::extent_v<decltype(SHA256_CTX::h)> == 8 && std::extent_v<decltype(SHA512_CTX::h)> == 8);

template <typename Sha>
class RunningHash {
 public:
  RunningHash() { Sha::kInit(&context_); }

  static absl::StatusOr<RunningHash> Restore(const DigesterState& state) {
    if (absl::Status status = Check(state); !status.ok()) return status;
    RunningHash hash;
    std::copy(state.words.begin(), state.words.end(), std::begin(hash.context_.h));
    const uint64_t length_bits = state.length_bytes << 3;
    hash.context_.Nl = static_cast<decltype(hash.context_.Nl)>(length_bits);
    if constexpr (Sha::kLengthHalfBits == 32) hash.context_.Nh = static_cast<uint32_t>(length_bits >> 32);
    hash.context_.num = static_cast<unsigned int>(state.tail.size());
    std::memcpy(Sha::Tail(hash.context_), state.tail.data(), state.tail.size());
    return hash;
  }

  DigestAlgorithm algorithm() const { return Sha::kAlgorithm; }

  uint64_t length_bytes() const {
    uint64_t length_bits = context_.Nl;
    if constexpr (Sha::kLengthHalfBits == 32) length_bits |= uint64_t{context_.Nh} << 32;
    return length_bits >> 3;
  }

  void Update(absl::string_view bytes) { Sha::kUpdate(&context_, bytes.data(), bytes.size()); }

  DigesterState Save() const {
    Context copy = context_;
    DigesterState state;
    state.algorithm = Sha::kAlgorithm;
    state.length_bytes = length_bytes();
    state.words.assign(std::begin(copy.h), std::end(copy.h));
    state.tail.assign(reinterpret_cast<const char*>(Sha::Tail(copy)), copy.num);
    return state;
  }

  Digest Current() const {
    Context copy = context_;
    std::array<unsigned char, Sha::kHashBytes> hash;
    Sha::kFinal(hash.data(), &copy);
    return Digest::FromBytes(Sha::kAlgorithm,
                             absl::string_view(reinterpret_cast<const char*>(hash.data()), hash.size()));
  }

 private:
  using Context = typename Sha::Context;
  using Word = std::remove_all_extents_t<decltype(Context::h)>;

  static absl::Status Check(const DigesterState& state) {
    if (state.length_bytes > kLengthBytesMax) {
      return absl::InvalidArgumentError(absl::StrCat("the saved hash covers too many bytes: ", state.length_bytes));
    }
    if (state.words.size() != std::extent_v<decltype(Context::h)>) {
      return absl::InvalidArgumentError(absl::StrCat("the saved hash has ", state.words.size(), " words instead of 8"));
    }
    for (uint64_t word : state.words) {
      if (static_cast<Word>(word) != word) {
        return absl::InvalidArgumentError("a word of the saved hash does not fit its algorithm");
      }
    }
    if (state.tail.size() != state.length_bytes % Sha::kBlockBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("the saved hash of ", state.length_bytes, " bytes has a tail of ", state.tail.size()));
    }
    const RunningHash fresh;
    if (state.length_bytes < Sha::kBlockBytes &&
        !std::equal(state.words.begin(), state.words.end(), std::begin(fresh.context_.h))) {
      return absl::InvalidArgumentError("the saved hash has no whole block, but its words are not the initial ones");
    }
    return absl::OkStatus();
  }

  Context context_;
};

}  // namespace

struct Digester::Context {
  std::variant<RunningHash<Sha256>, RunningHash<Sha512>> hash;
};

Digester::Digester(DigestAlgorithm algorithm) : context_(std::make_unique<Context>()) {
  if (algorithm == DigestAlgorithm::kSha512) context_->hash.emplace<RunningHash<Sha512>>();
}
Digester::Digester(std::unique_ptr<Context> context) : context_(std::move(context)) {}
Digester::Digester(Digester&&) noexcept = default;
Digester& Digester::operator=(Digester&&) noexcept = default;
Digester::~Digester() = default;

absl::StatusOr<Digester> Digester::Restore(const DigesterState& state) {
  const auto restore = [&state]<typename Sha>(std::type_identity<Sha>) -> absl::StatusOr<Digester> {
    absl::StatusOr<RunningHash<Sha>> hash = RunningHash<Sha>::Restore(state);
    if (!hash.ok()) return hash.status();
    return Digester(std::make_unique<Context>(Context{*std::move(hash)}));
  };
  if (state.algorithm == DigestAlgorithm::kSha256) return restore(std::type_identity<Sha256>());
  return restore(std::type_identity<Sha512>());
}

DigestAlgorithm Digester::algorithm() const {
  return std::visit([](const auto& hash) { return hash.algorithm(); }, context_->hash);
}

uint64_t Digester::length_bytes() const {
  return std::visit([](const auto& hash) { return hash.length_bytes(); }, context_->hash);
}

void Digester::Update(absl::string_view bytes) {
  std::visit([bytes](auto& hash) { hash.Update(bytes); }, context_->hash);
}

DigesterState Digester::Save() const {
  return std::visit([](const auto& hash) { return hash.Save(); }, context_->hash);
}

Digest Digester::Current() const {
  return std::visit([](const auto& hash) { return hash.Current(); }, context_->hash);
}

Digest ComputeDigest(DigestAlgorithm algorithm, absl::string_view bytes) {
  Digester digester(algorithm);
  digester.Update(bytes);
  return digester.Current();
}

}  // namespace entrepot
