"""Five tenants of five verticals."""

WEEK = ((0, "09:00", "18:00"), (1, "09:00", "18:00"), (2, "09:00", "18:00"), (3, "09:00", "18:00"), (4, "09:00", "18:00"))
SATURDAY = ((5, "09:00", "14:00"),)
EARLY = tuple((day, "06:00", "15:00") for day in range(6))
LATE = tuple((day, "09:00", "20:00") for day in range(1, 6))

TENANTS = [
    {
        "slug": "amani_salon",
        "name": "Amani Salon",
        "vertical": "salon",
        "place": "Ngong Road, Nairobi, opposite Prestige Plaza",
        "staff": [("Wanjiku Kamau", WEEK), ("Achieng Otieno", LATE), ("Njeri Mwangi", WEEK + SATURDAY), ("Faith Chebet", None)],
        "services": [
            ("Box braids", "hair", 180), ("Blow dry", "hair", 45), ("Wash and set", "hair", 60),
            ("Manicure", "nails", 45), ("Pedicure", "nails", 60),
        ],
        "payments": 64,
    },
    {
        "slug": "jua_auto",
        "name": "Jua Auto Garage",
        "vertical": "automotive",
        "place": "Kirinyaga Road, Nairobi, next to the Total station",
        "staff": [("Peter Mutua", WEEK + SATURDAY), ("Hassan Abdi", EARLY), ("Brian Kiprono", WEEK)],
        "services": [
            ("Oil change", "servicing", 45), ("Brake check", "servicing", 60), ("Full service", "servicing", 180),
            ("Interior cleaning", "detailing", 120), ("Wax and polish", "detailing", 150),
        ],
        "payments": 52,
    },
    {
        "slug": "kilele_dental",
        "name": "Kilele Dental Clinic",
        "vertical": "dental",
        "place": "Westlands, Nairobi, Rhapta Road, second floor",
        "staff": [("Dr. Mary Wambui", WEEK), ("Dr. Samuel Kibet", EARLY), ("Dr. Amina Yusuf", WEEK + SATURDAY)],
        "services": [
            ("Dental cleaning", "checkup", 45), ("Consultation", "checkup", 30), ("Filling", "checkup", 60),
            ("Braces review", "orthodontics", 30), ("Aligner fitting", "orthodontics", 60),
        ],
        "payments": 41,
    },
    {
        "slug": "safari_fitness",
        "name": "Safari Fitness",
        "vertical": "fitness",
        "place": "Karen, Nairobi, Hub mall, ground floor",
        "staff": [("Kevin Omondi", EARLY), ("Grace Atieno", LATE), ("Daniel Kimani", WEEK + SATURDAY), ("Lucy Naliaka", EARLY)],
        "services": [
            ("Spin class", "class", 45), ("Yoga class", "class", 60), ("Boxing class", "class", 60),
            ("Strength coaching", "coaching", 60), ("Nutrition coaching", "coaching", 45),
        ],
        "payments": 78,
    },
    {
        "slug": "zuri_spa",
        "name": "Zuri Spa",
        "vertical": "spa",
        "place": "Nyali, Mombasa, Links Road",
        "staff": [("Zainab Ali", WEEK + SATURDAY), ("Mercy Nyambura", LATE), ("Salma Juma", WEEK)],
        "services": [
            ("Swedish massage", "massage", 60), ("Deep tissue massage", "massage", 90), ("Hot stone massage", "massage", 90),
            ("Classic facial", "facial", 60), ("Hydrating facial", "facial", 75),
        ],
        "payments": 57,
    },
]

KNOWLEDGE = [
    ("location", "Where we are", "{name} is at {place}."),
    ("hours", "Opening hours", "We are open Monday to Friday from 9 to 6, Saturday until 2. Closed on public holidays."),
    ("payment", "Deposit", "A deposit of KES 500 by M-Pesa holds the booking. The balance is paid on the day."),
    ("payment", "Ways to pay", "M-Pesa, card and cash are accepted at the counter."),
    ("policy", "Cancelling", "Bookings can be moved free of charge until 4 hours before. Later, the deposit is kept."),
    ("policy", "Coming late", "After 15 minutes we may have to give the slot to somebody else."),
    ("general", "Parking", "There is free parking for customers behind the building."),
    ("general", "Languages", "Our team speaks English and Kiswahili."),
    ("general", "Gift vouchers", "Vouchers can be bought at the counter, from KES 1,000."),
    ("general", "Children", "Children are welcome when an adult comes with them."),
    ("general", "Wi-Fi", "There is free Wi-Fi; ask for the password at the counter."),
    ("staff", "Choosing somebody", "You can ask for a person by name when you book."),
]
