#include "services/upstream/login/auth_challenge.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"

namespace entrepot::upstream {
namespace {

bool IsTokenByte(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::string_view("!#$%&'*+-.^_`|~").find(c) != absl::string_view::npos;
}

// What stands in values without quotes: tokens, and the URLs of servers that forget the quotes.
bool IsBareValueByte(char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != ',' && c != '"'; }

class FieldParser {
 public:
  FieldParser(absl::string_view text, std::vector<AuthChallenge>* challenges) : rest_(text), challenges_(challenges) {}

  void Parse() {
    while (ParseItem()) {
    }
  }

 private:
  // One scheme, or one parameter of the challenge before it. False at the end and at a fault.
  bool ParseItem() {
    Skip(" \t,");
    const std::string name = absl::AsciiStrToLower(TakeWhile(IsTokenByte));
    if (name.empty()) return false;
    Skip(" \t");
    if (rest_.empty() || rest_.front() != '=') return BeginChallenge(name);
    rest_.remove_prefix(1);
    Skip(" \t");
    std::optional<std::string> value = TakeValue();
    if (!value.has_value()) return false;
    AddParameter(name, *std::move(value));
    return true;
  }

  bool BeginChallenge(const std::string& scheme) {
    if (challenges_->size() == kChallengesMax) return false;
    challenges_->push_back({.scheme = scheme, .parameters = {}});
    begun_ = true;
    return true;
  }

  void AddParameter(const std::string& name, std::string value) {
    if (!begun_ || challenges_->back().parameters.size() == kChallengeParametersMax) return;
    challenges_->back().parameters.emplace(name, std::move(value));
  }

  std::optional<std::string> TakeValue() {
    if (rest_.empty() || rest_.front() != '"') return std::string(TakeWhile(IsBareValueByte));
    std::string value;
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return value;
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) break;
      value.push_back(rest_[i]);
    }
    return std::nullopt;
  }

  void Skip(absl::string_view bytes) { rest_.remove_prefix(std::min(rest_.find_first_not_of(bytes), rest_.size())); }

  absl::string_view TakeWhile(bool (*is_byte)(char)) {
    size_t size = 0;
    while (size < rest_.size() && is_byte(rest_[size])) ++size;
    const absl::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  absl::string_view rest_;
  std::vector<AuthChallenge>* const challenges_;
  // Whether this field has begun a challenge: a parameter before it belongs to none.
  bool begun_ = false;
};

}  // namespace

const std::string& AuthChallenge::Parameter(const std::string& name) const {
  static const auto* const kNone = new std::string();
  const auto found = parameters.find(name);
  return found != parameters.end() ? found->second : *kNone;
}

std::vector<AuthChallenge> ParseAuthChallenges(const std::vector<absl::string_view>& fields) {
  std::vector<AuthChallenge> challenges;
  for (const absl::string_view field : fields) {
    if (field.size() <= kChallengeFieldBytesMax) FieldParser(field, &challenges).Parse();
  }
  return challenges;
}

std::optional<AuthChallenge> ChooseChallenge(const std::vector<AuthChallenge>& challenges) {
  for (const AuthChallenge& challenge : challenges) {
    if (challenge.scheme == "bearer" && !challenge.Parameter("realm").empty()) return challenge;
  }
  for (const AuthChallenge& challenge : challenges) {
    if (challenge.scheme == "basic") return challenge;
  }
  return std::nullopt;
}

}  // namespace entrepot::upstream
