# What somebody would write by hand for the same work: $1 is the host's name, $2 the folder under which its files are.
set -eu
cd "$2"
folder() { # path mode
  [ "$(stat -c %a "$1" 2>/dev/null)" = "$2" ] || { mkdir -p "$1"; chmod "$2" "$1"; }
}
content() { # path mode; the text on stdin
  cat >.new
  if cmp -s .new "$1"; then rm .new; else mv .new "$1"; fi
  [ "$(stat -c %a "$1")" = "$2" ] || chmod "$2" "$1"
}
line() { # path variable value
  grep -qx "$2=$3" "$1" 2>/dev/null && return
  [ ! -e "$1" ] || sed -i "/^$2=/d" "$1"
  echo "$2=$3" >>"$1"
}

folder conf 755
folder data 750
folder conf/parts 755
content conf/settings.conf 644 <<'END'
# Setting 0 of the exporter
setting_000 = value-0
# Setting 1 of the exporter
setting_001 = value-919
# Setting 2 of the exporter
setting_002 = value-838
# Setting 3 of the exporter
setting_003 = value-757
# Setting 4 of the exporter
setting_004 = value-676
# Setting 5 of the exporter
setting_005 = value-595
# Setting 6 of the exporter
setting_006 = value-514
# Setting 7 of the exporter
setting_007 = value-433
# Setting 8 of the exporter
setting_008 = value-352
# Setting 9 of the exporter
setting_009 = value-271
# Setting 10 of the exporter
setting_010 = value-190
# Setting 11 of the exporter
setting_011 = value-109
# Setting 12 of the exporter
setting_012 = value-28
# Setting 13 of the exporter
setting_013 = value-947
# Setting 14 of the exporter
setting_014 = value-866
# Setting 15 of the exporter
setting_015 = value-785
# Setting 16 of the exporter
setting_016 = value-704
# Setting 17 of the exporter
setting_017 = value-623
# Setting 18 of the exporter
setting_018 = value-542
# Setting 19 of the exporter
setting_019 = value-461
# Setting 20 of the exporter
setting_020 = value-380
# Setting 21 of the exporter
setting_021 = value-299
# Setting 22 of the exporter
setting_022 = value-218
# Setting 23 of the exporter
setting_023 = value-137
# Setting 24 of the exporter
setting_024 = value-56
# Setting 25 of the exporter
setting_025 = value-975
# Setting 26 of the exporter
setting_026 = value-894
# Setting 27 of the exporter
setting_027 = value-813
# Setting 28 of the exporter
setting_028 = value-732
# Setting 29 of the exporter
setting_029 = value-651
# Setting 30 of the exporter
setting_030 = value-570
# Setting 31 of the exporter
setting_031 = value-489
# Setting 32 of the exporter
setting_032 = value-408
# Setting 33 of the exporter
setting_033 = value-327
# Setting 34 of the exporter
setting_034 = value-246
# Setting 35 of the exporter
setting_035 = value-165
# Setting 36 of the exporter
setting_036 = value-84
# Setting 37 of the exporter
setting_037 = value-3
# Setting 38 of the exporter
setting_038 = value-922
# Setting 39 of the exporter
setting_039 = value-841
# Setting 40 of the exporter
setting_040 = value-760
# Setting 41 of the exporter
setting_041 = value-679
# Setting 42 of the exporter
setting_042 = value-598
# Setting 43 of the exporter
setting_043 = value-517
# Setting 44 of the exporter
setting_044 = value-436
# Setting 45 of the exporter
setting_045 = value-355
# Setting 46 of the exporter
setting_046 = value-274
# Setting 47 of the exporter
setting_047 = value-193
# Setting 48 of the exporter
setting_048 = value-112
# Setting 49 of the exporter
setting_049 = value-31
# Setting 50 of the exporter
setting_050 = value-950
# Setting 51 of the exporter
setting_051 = value-869
# Setting 52 of the exporter
setting_052 = value-788
# Setting 53 of the exporter
setting_053 = value-707
# Setting 54 of the exporter
setting_054 = value-626
# Setting 55 of the exporter
setting_055 = value-545
# Setting 56 of the exporter
setting_056 = value-464
# Setting 57 of the exporter
setting_057 = value-383
# Setting 58 of the exporter
setting_058 = value-302
# Setting 59 of the exporter
setting_059 = value-221
# Setting 60 of the exporter
setting_060 = value-140
# Setting 61 of the exporter
setting_061 = value-59
# Setting 62 of the exporter
setting_062 = value-978
# Setting 63 of the exporter
setting_063 = value-897
# Setting 64 of the exporter
setting_064 = value-816
# Setting 65 of the exporter
setting_065 = value-735
# Setting 66 of the exporter
setting_066 = value-654
# Setting 67 of the exporter
setting_067 = value-573
# Setting 68 of the exporter
setting_068 = value-492
# Setting 69 of the exporter
setting_069 = value-411
# Setting 70 of the exporter
setting_070 = value-330
# Setting 71 of the exporter
setting_071 = value-249
# Setting 72 of the exporter
setting_072 = value-168
# Setting 73 of the exporter
setting_073 = value-87
# Setting 74 of the exporter
setting_074 = value-6
# Setting 75 of the exporter
setting_075 = value-925
# Setting 76 of the exporter
setting_076 = value-844
# Setting 77 of the exporter
setting_077 = value-763
# Setting 78 of the exporter
setting_078 = value-682
# Setting 79 of the exporter
setting_079 = value-601
# Setting 80 of the exporter
setting_080 = value-520
# Setting 81 of the exporter
setting_081 = value-439
# Setting 82 of the exporter
setting_082 = value-358
# Setting 83 of the exporter
setting_083 = value-277
# Setting 84 of the exporter
setting_084 = value-196
# Setting 85 of the exporter
setting_085 = value-115
# Setting 86 of the exporter
setting_086 = value-34
# Setting 87 of the exporter
setting_087 = value-953
# Setting 88 of the exporter
setting_088 = value-872
# Setting 89 of the exporter
setting_089 = value-791
# Setting 90 of the exporter
setting_090 = value-710
# Setting 91 of the exporter
setting_091 = value-629
# Setting 92 of the exporter
setting_092 = value-548
# Setting 93 of the exporter
setting_093 = value-467
# Setting 94 of the exporter
setting_094 = value-386
# Setting 95 of the exporter
setting_095 = value-305
# Setting 96 of the exporter
setting_096 = value-224
# Setting 97 of the exporter
setting_097 = value-143
# Setting 98 of the exporter
setting_098 = value-62
# Setting 99 of the exporter
setting_099 = value-981
# Setting 100 of the exporter
setting_100 = value-900
# Setting 101 of the exporter
setting_101 = value-819
# Setting 102 of the exporter
setting_102 = value-738
# Setting 103 of the exporter
setting_103 = value-657
# Setting 104 of the exporter
setting_104 = value-576
# Setting 105 of the exporter
setting_105 = value-495
# Setting 106 of the exporter
setting_106 = value-414
# Setting 107 of the exporter
setting_107 = value-333
# Setting 108 of the exporter
setting_108 = value-252
# Setting 109 of the exporter
setting_109 = value-171
# Setting 110 of the exporter
setting_110 = value-90
# Setting 111 of the exporter
setting_111 = value-9
# Setting 112 of the exporter
setting_112 = value-928
# Setting 113 of the exporter
setting_113 = value-847
# Setting 114 of the exporter
setting_114 = value-766
# Setting 115 of the exporter
setting_115 = value-685
# Setting 116 of the exporter
setting_116 = value-604
# Setting 117 of the exporter
setting_117 = value-523
# Setting 118 of the exporter
setting_118 = value-442
# Setting 119 of the exporter
setting_119 = value-361
# Setting 120 of the exporter
setting_120 = value-280
# Setting 121 of the exporter
setting_121 = value-199
# Setting 122 of the exporter
setting_122 = value-118
# Setting 123 of the exporter
setting_123 = value-37
# Setting 124 of the exporter
setting_124 = value-956
# Setting 125 of the exporter
setting_125 = value-875
# Setting 126 of the exporter
setting_126 = value-794
# Setting 127 of the exporter
setting_127 = value-713
# Setting 128 of the exporter
setting_128 = value-632
# Setting 129 of the exporter
setting_129 = value-551
# Setting 130 of the exporter
setting_130 = value-470
# Setting 131 of the exporter
setting_131 = value-389
# Setting 132 of the exporter
setting_132 = value-308
# Setting 133 of the exporter
setting_133 = value-227
# Setting 134 of the exporter
setting_134 = value-146
# Setting 135 of the exporter
setting_135 = value-65
# Setting 136 of the exporter
setting_136 = value-984
# Setting 137 of the exporter
setting_137 = value-903
# Setting 138 of the exporter
setting_138 = value-822
# Setting 139 of the exporter
setting_139 = value-741
# Setting 140 of the exporter
setting_140 = value-660
# Setting 141 of the exporter
setting_141 = value-579
# Setting 142 of the exporter
setting_142 = value-498
# Setting 143 of the exporter
setting_143 = value-417
# Setting 144 of the exporter
setting_144 = value-336
# Setting 145 of the exporter
setting_145 = value-255
# Setting 146 of the exporter
setting_146 = value-174
# Setting 147 of the exporter
setting_147 = value-93
# Setting 148 of the exporter
setting_148 = value-12
# Setting 149 of the exporter
setting_149 = value-931
END
printf 'one\ntwo\n' | content conf/targets.list 640
echo 'Maintained by the platform team' | content motd 644
echo 'zone = a' | content conf/parts/zone.conf 644
content conf/service.conf 644 <<END
# Of $1.
listen = :9100
data = $2/data
labels = host:$1,zone:a
END
content conf/limits.conf 644 <<'END'
# Limits of zone a.
files = 65536
memory = 512M
END
line etc/service.env LOG info
line etc/service.env PORT 9100
line etc/service.env ZONE a
[ "$(readlink current)" = conf ] || ln -sfn conf current
[ ! -e etc/obsolete.conf ] || rm -r etc/obsolete.conf
[ -e data/mark ] || touch data/mark
[ "$(stat -c %a data/mark)" = 600 ] || chmod 600 data/mark
ls conf
