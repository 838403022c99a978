#include "services/runtime/config/config_value.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::runtime {
namespace {

// The limit of google.protobuf.Duration: about 10,000 years.
constexpr absl::Duration kDurationMax = absl::Seconds(315576000000);

std::string Describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNothing:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return absl::StrCat(node.quoted ? "the text " : "", QuotedInput(node.text));
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "fields";
  }
  return "something else";
}

bool IsPlain(const YamlNode& node) { return node.kind == YamlNode::Kind::kScalar && !node.quoted; }

// Digits that mean the same in every version of YAML and in C: no octal, no underscores.
bool IsWholeNumber(const YamlNode& node) {
  if (!IsPlain(node)) return false;
  const absl::string_view digits = absl::StripPrefix(node.text, "-");
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit)) return false;
  return digits.front() != '0' || node.text == "0";
}

bool IsDecimal(const YamlNode& node) {
  if (!IsPlain(node) || node.text.empty()) return false;
  return std::all_of(node.text.begin(), node.text.end(), [](char c) {
    return absl::ascii_isdigit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
  });
}

bool IsControl(char c) { return absl::ascii_iscntrl(c) && c != '\n' && c != '\t'; }

template <typename T>
absl::Status OutOfRange(const YamlNode& node, T min, T max) {
  return absl::InvalidArgumentError(absl::StrCat("must be ", min, " to ", max, ", not ", QuotedInput(node.text)));
}

}  // namespace

absl::Status Expected(absl::string_view what, const YamlNode& found) {
  return absl::InvalidArgumentError(absl::StrCat("expected ", what, ", found ", Describe(found)));
}

absl::StatusOr<int64_t> SignedValue(const YamlNode& node, int64_t min, int64_t max) {
  if (!IsWholeNumber(node)) return Expected("a whole number", node);
  int64_t value;
  if (!absl::SimpleAtoi(node.text, &value) || value < min || value > max) return OutOfRange(node, min, max);
  return value;
}

absl::StatusOr<uint64_t> UnsignedValue(const YamlNode& node, uint64_t max) {
  if (!IsWholeNumber(node)) return Expected("a whole number", node);
  uint64_t value;
  if (!absl::SimpleAtoi(node.text, &value) || value > max) return OutOfRange<uint64_t>(node, 0, max);
  return value;
}

absl::StatusOr<double> DecimalValue(const YamlNode& node) {
  double value;
  if (!IsDecimal(node) || !absl::SimpleAtod(node.text, &value) || !std::isfinite(value)) {
    return Expected("a number", node);
  }
  return value;
}

absl::StatusOr<bool> BoolValue(const YamlNode& node) {
  if (IsPlain(node) && node.text == "true") return true;
  if (IsPlain(node) && node.text == "false") return false;
  return Expected("true or false", node);
}

absl::StatusOr<std::string> TextValue(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kScalar) return Expected("text", node);
  if (std::any_of(node.text.begin(), node.text.end(), IsControl)) {
    return Expected("text without control characters", node);
  }
  return node.text;
}

absl::StatusOr<const google::protobuf::EnumValueDescriptor*> EnumValue(
    const YamlNode& node, const google::protobuf::EnumDescriptor& descriptor) {
  if (node.kind == YamlNode::Kind::kScalar) {
    if (const auto* value = descriptor.FindValueByName(node.text); value != nullptr) return value;
  }
  std::vector<std::string> names;
  for (int i = 0; i < descriptor.value_count(); ++i) names.push_back(descriptor.value(i)->name());
  return Expected(absl::StrCat("one of ", absl::StrJoin(names, ", ")), node);
}

absl::StatusOr<google::protobuf::Duration> DurationValue(const YamlNode& node) {
  constexpr absl::string_view kWhat = "a duration like 250ms, 3s or 1h30m";
  absl::Duration value;
  if (node.kind != YamlNode::Kind::kScalar || !absl::ParseDuration(node.text, &value)) return Expected(kWhat, node);
  if (value > kDurationMax || value < -kDurationMax) return Expected("a duration of at most 10,000 years", node);
  google::protobuf::Duration duration;
  duration.set_seconds(absl::IDivDuration(value, absl::Seconds(1), &value));
  duration.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(value)));
  return duration;
}

}  // namespace entrepot::runtime
